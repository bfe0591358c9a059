import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answerVerdict } from '../../../../src/authn/verdict.ts'
import { answerAccess, authorize } from '../../../../src/authz/authorize.ts'
import { toJson as explainMapping } from '../../../../src/cli/keystone-edge-auth/explain/explain-mapping.ts'
import { toJson as explainPolicy } from '../../../../src/cli/keystone-edge-auth/explain/explain-policy.ts'
import { toExampleIdentity, toMappingExample } from '../../../../src/cli/keystone-edge-auth/facts/mapping-facts.ts'
import { toRequest } from '../../../../src/cli/keystone-edge-auth/facts/policy-facts.ts'
import { decodeSubjectAccessReview } from '../../../../src/k8s/subject-access-review.ts'
import { concealToken } from '../../../../src/lib/secret.ts'
import { parseMapping } from '../../../../src/mapping/parse-mapping.ts'
import { parsePolicy } from '../../../../src/policy/parse-policy.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const CORPUS = resolve(import.meta.dirname, '../../../corpus')
const HOME = 'default'

interface Case {
  readonly as?: string
  readonly request: Record<string, string>
}

interface Group {
  readonly policy: unknown
  readonly forms?: readonly string[]
  readonly as: string
  readonly cases: readonly Case[]
}

const readCorpus = (name: string) => JSON.parse(readFileSync(join(CORPUS, name), 'utf8'))
const principals: Record<string, object> = readCorpus('principals.json')
const groups: Group[] = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.json') && !['principals.json', 'refused.json'].includes(name))
  .flatMap(readCorpus)

function toReview(name: string, { path, ...request }: Record<string, string>): Record<string, unknown> {
  const asked = path === undefined ? { resourceAttributes: request } : { nonResourceAttributes: { ...request, path } }
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { ...principals[name], ...asked },
  }
}

function workerSays(policy: ReturnType<typeof parsePolicy>, review: unknown) {
  const decoded = decodeSubjectAccessReview(review)
  if (!decoded.ok || !policy.ok) throw new Error('the corpus holds something that the Worker refuses')
  const answer = answerAccess(decoded.value, authorize(decoded.value, policy))
  if (!('body' in answer)) throw new Error('the Worker decides nothing')
  return { status: JSON.parse(answer.body).status, record: answer.record }
}

describe('policy explain', () => {
  it('says what the Worker says, with status.reason and the entry of the audit line, over the corpus', () => {
    let compared = 0
    for (const { policy: document, forms = ['list'], as: principal, cases } of groups) {
      const documents = Array.isArray(document)
        ? forms.map((form) => (form === 'list' ? document : { policies: document }))
        : [document]
      for (const policy of documents.map((one) => parsePolicy(one, HOME))) {
        if (!policy.ok) throw new Error(JSON.stringify(policy.error))
        for (const { as: name = principal, request } of cases) {
          const review = toReview(name, request)
          const { status, record } = workerSays(policy, review)
          const explained = explainPolicy(policy.value, toRequest(review, {}, HOME), HOME)
          expect(explained.reason).toBe(status.reason)
          expect(explained.decision).toBe(record.decision)
          const entry = explained.entries.find(({ matched }) => matched)
          if (record.decision === 'allow') expect(record.reason).toBe(`policy ${entry?.path}`)
          else expect(entry).toBeUndefined()
          compared += 1
        }
      }
    }
    expect(compared).toBeGreaterThan(300)
  })

  it('takes the facts by flags', async () => {
    const file = cli.write('policy.json', [
      { users: { roles: ['admin'], projects: ['demo'] }, resource_permissions: { '*/*': ['*'] } },
      { users: { roles: ['member'], projects: ['demo'] }, resource_permissions: { 'default/pods': ['get'] } },
    ])
    const ask = (...more: string[]) =>
      cli.json(['policy', 'explain', file, '--user', 'alice', '--project', 'demo', '--role', 'member', ...more])
    expect(await ask('--verb', 'get', '--resource', 'pods', '--namespace', 'default')).toEqual({
      code: 0,
      value: {
        decision: 'allow',
        reason: 'policy entry [1].resource_permissions["default/pods"] allows it',
        entries: [
          { path: '[0].resource_permissions["*/*"]', matched: false },
          { path: '[1].resource_permissions["default/pods"]', matched: true },
        ],
      },
    })
    expect((await ask('--verb', 'get', '--path', '/metrics')).value).toMatchObject({ decision: 'no_opinion' })
    const { stdout } = await cli.run(['policy', 'explain', file, '--role', 'x', '--verb', 'get', '--path', '/x'])
    expect(stdout).toContain('no_opinion: no policy entry allows it')
    expect(stdout).toContain('✗ [0]: users.roles does not match')
  })

  it('takes a line of the audit log of kube-apiserver', async () => {
    const file = cli.write('policy.json', [
      { users: { roles: ['member'], projects: ['demo'] }, resource_permissions: { 'default/pods': ['get'] } },
    ])
    const event = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Event',
      verb: 'get',
      requestURI: '/api/v1/namespaces/default/pods/a?x=1',
      user: {
        username: 'alice',
        extra: {
          'alpha.kubernetes.io/identity/project/name': ['demo'],
          'alpha.kubernetes.io/identity/roles': ['member'],
        },
      },
      objectRef: { resource: 'pods', namespace: 'default', name: 'a', apiVersion: 'v1' },
    }
    const { value } = await cli.json(['policy', 'explain', file, '--facts', '-'], { stdin: JSON.stringify(event) })
    expect(value).toMatchObject({ decision: 'allow' })
  })

  it('takes the user from a mapping', async () => {
    const policy = cli.write('policy.json', [
      {
        resource: { verbs: ['get'], resources: ['pods'], version: '*', namespace: '*' },
        match: [{ type: 'group', values: ['developers'] }],
      },
    ])
    const mapping = cli.write('mapping.json', { rules: [{ role: 'member', groups: ['developers'] }] })
    const args = ['policy', 'explain', policy, '--role', 'member', '--verb', 'get', '--resource', 'pods']
    expect((await cli.json(args)).value).toMatchObject({ decision: 'no_opinion' })
    expect((await cli.json([...args, '--mapping', mapping])).value).toMatchObject({ decision: 'allow' })
  })

  it.each([[['--resource', 'pods']], [['--verb', 'get']], [['--verb', 'get', '--resource', 'pods', '--path', '/x']]])(
    'ends with 2 for a request that is not whole: %j',
    async (args) => {
      const { code, stderr } = await cli.run(['policy', 'explain', cli.write('policy.json', []), ...args])
      expect(code).toBe(2)
      expect(stderr).toContain('hint: give --')
    },
  )
})

describe('mapping explain', () => {
  const documents = [
    {},
    { deny: { users: ['alice'] } },
    { allow: { projects: ['other'] } },
    { allow: { domains: ['default'] }, rules: [{ role: 'member', groups: ['a'], username: 'm:{user.name}' }] },
    { username: 'x:{user.name}', rules: [{ user: 'alice', username: 'root', groups: ['{project.name}'] }] },
  ]
  const facts = [
    { user: 'alice', project: 'demo', roles: ['member'] },
    { user: 'alice', domain: '1d2c5b4e8f7a4d0c9b3e6a5f4c3d2e1b', scope: 'unscoped' },
    { user: 'system:x', 'keystone-groups': ['system:masters'] },
    { user: 'root' },
  ]

  it('says what the Worker says, with the reason of the audit line', () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', token: concealToken('x') } as const
    for (const document of documents) {
      const mapping = parseMapping(document, { digest: '', homeDomain: HOME })
      if (!mapping.ok) throw new Error(JSON.stringify(mapping.error))
      for (const one of facts) {
        const identity = toExampleIdentity(toMappingExample(one, {}), HOME)
        const mapped = mapping.value.toUser(identity)
        const verdict = mapped.ok ? { reason: 'authenticated' as const, ...mapped.value } : mapped.error
        const { body, record } = answerVerdict(review, verdict)
        const { authenticated, user } = JSON.parse(body).status
        const explained = explainMapping(mapping.value, identity)
        expect(explained).toMatchObject({ authenticated, user: user ?? null, reason: record.reason })
        if (mapped.ok) expect(explained.leftOut).toHaveLength(record.leftOut)
      }
    }
  })

  it('takes the facts by flags, and replaces those of a file', async () => {
    const file = cli.write(
      'mapping.yaml',
      'rules:\n  - { role: member, groups: [dev] }\n  - { role: admin, groups: [x] }\n',
    )
    const facts = cli.write('facts.yaml', 'user: bob\nproject: demo\nroles: [member]\n')
    const { code, value } = await cli.json(['mapping', 'explain', file, '--facts', facts, '--user', 'alice'])
    expect(code).toBe(0)
    expect(value).toMatchObject({
      authenticated: true,
      reason: 'authenticated',
      user: { username: 'alice', groups: expect.arrayContaining(['dev']) },
      leftOut: [],
      rules: [
        { path: 'rules[0]', matched: true },
        { path: 'rules[1]', matched: false },
      ],
    })
    const { stdout } = await cli.run(['mapping', 'explain', file, '--facts', facts])
    expect(stdout).toContain('authenticated as bob')
    expect(stdout).toContain('✓ rules[0]: role matches\n      gives dev')
    expect(stdout).toContain('✗ rules[1]: role does not match')
  })

  it('qualifies names outside of --home-domain', async () => {
    const file = cli.write('empty.json', {})
    const domain = '1d2c5b4e8f7a4d0c9b3e6a5f4c3d2e1b'
    const args = ['mapping', 'explain', file, '--user', 'alice', '--domain', domain]
    expect((await cli.json(args)).value).toMatchObject({ user: { username: `alice@${domain}` } })
    const atHome = await cli.json([...args, '--home-domain', domain])
    expect(atHome.value).toMatchObject({ user: { username: 'alice' } })
  })

  it('prints the report of check for a document with faults', async () => {
    const file = cli.write('faulty.json', { rules: 5 })
    const { code, value } = await cli.json(['mapping', 'explain', file, '--user', 'alice'])
    expect(code).toBe(1)
    expect(value).toMatchObject([{ file, faults: [{ path: 'rules' }] }])
  })

  it('names a key of the facts that is none', async () => {
    const { code, stderr } = await cli.run([
      'mapping',
      'explain',
      cli.write('empty.json', {}),
      '--facts',
      cli.write('facts.json', { name: 'alice' }),
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('name is not a key here')
  })
})
