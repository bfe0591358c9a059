import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { importPolicy } from '../../../../src/cli/keystone-edge-auth/import/import-policy.ts'
import { importSync } from '../../../../src/cli/keystone-edge-auth/import/import-sync.ts'
import { importTokens } from '../../../../src/cli/keystone-edge-auth/import/import-tokens.ts'
import { accidentalSubresources, toSubresourceKey } from '../../../../src/cli/keystone-edge-auth/import/subresources.ts'
import type { AccessAttributes } from '../../../../src/k8s/subject-access-review.ts'
import { parseMapping } from '../../../../src/mapping/parse-mapping.ts'
import { parsePolicy } from '../../../../src/policy/parse-policy.ts'
import { anyAttributes, HOME, listDocument } from '../../../worker/policy/arbitraries.ts'
import { keystoneAuthAllows } from '../../../worker/policy/k8s-keystone-auth-model.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const ID = '9e18d0fd315644ee826687296538ddc7'
const POLICY = [
  { users: { roles: ['member'], projects: ['demo'] }, resource_permissions: { '*/pods': ['get'] } },
  { users: { roles: ['admin'], projects: [ID] }, resource_permissions: { '*/*': ['*'] } },
]

function readWritten(directory: string, name: string): unknown {
  return JSON.parse(readFileSync(join(cli.directory, directory, name), 'utf8'))
}

const configMap = (data: object, name = 'k8s-auth-policy') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'kube-system' },
  data,
})

describe('import', () => {
  const yaml = `apiVersion: v1
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"v1","data":{"policies":"[]"},"kind":"ConfigMap"}
    name: k8s-auth-policy
  data:
    policies: |
      [{"users": {"roles": ["member"], "projects": ["demo"]}, "resource_permissions": {"*/pods": ["get"]}}]
- apiVersion: v1
  kind: ConfigMap
  metadata: { name: keystone-sync-policy }
  data:
    syncConfig: |
      data-types-to-sync: [projects]
      namespace-format: "%i"
      role-mappings:
        - keystone-role: member
          groups: ["project-1"]
kind: List
`

  it('takes a List of ConfigMaps as kubectl prints it, and writes what it holds', async () => {
    const { code, value } = await cli.json(['import', '-', '--out', 'list'], { stdin: yaml })
    expect(code).toBe(0)
    expect(value).toEqual({
      files: ['list/policy.json', 'list/mapping.json', 'list/sync.json'],
      changes: [
        {
          path: '[0].resource_permissions["*/pods"]',
          message: expect.stringMatching(/pods\/exec.*"\*\/pods\/\*": \["get"\]/),
        },
        { path: '[0].users.projects[0]', message: expect.stringContaining('home domain') },
      ],
    })
    expect(readWritten('list', 'mapping.json')).toEqual({
      'role-mappings': [{ 'keystone-role': 'member', groups: ['project-1'] }],
    })
    expect(readWritten('list', 'sync.json')).toEqual({ 'data-types-to-sync': ['projects'], 'namespace-format': '%i' })
    expect((await cli.run(['policy', 'check', 'list/policy.json'])).code).toBe(0)
    expect((await cli.run(['mapping', 'check', 'list/mapping.json'])).code).toBe(0)
  })

  it.each([
    ['a bare policy', JSON.stringify(POLICY), 'policy.json'],
    ['a ConfigMap in JSON', JSON.stringify(configMap({ policies: JSON.stringify(POLICY) })), 'policy.json'],
    ['a bare sync configuration', 'role-mappings:\n  - keystone-role: a\n    groups: [b]\n', 'mapping.json'],
    ['several documents', `---\n---\n${JSON.stringify(configMap({ policies: '[]' }))}\n---\na: 1\n`, 'policy.json'],
    ['a token file', 'secret,alice,1,"a,b"\n', 'authenticators.json'],
  ])('takes %s', async (about, stdin, file) => {
    const out = about.replaceAll(' ', '-')
    const { code, value } = await cli.json(['import', '-', '--out', out], { stdin })
    expect([code, value]).toMatchObject([0, { files: [`${out}/${file}`] }])
    expect(existsSync(join(cli.directory, out, file))).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['another object', 'apiVersion: v1\nkind: Secret\n'],
    ['two policies', `${JSON.stringify(POLICY)}\n---\n[]\n`],
    ['two keys of one name', '[{"users": {}, "users": {}}]'],
    ['YAML with an error', 'a: [\n'],
  ])('writes nothing for %s, and ends with 1', async (_, stdin) => {
    const { code, stderr } = await cli.run(['import', '-', '--out', 'nothing'], { stdin })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: /)
    expect(existsSync(join(cli.directory, 'nothing'))).toBe(false)
  })

  it('writes a document that the Worker is not too small for, where line breaks and spaces would make it too large', async () => {
    const values = Array.from({ length: 300_000 }, () => 'a')
    const policy = [{ nonresource: { verbs: ['get'], path: '/' }, match: [{ type: 'role', values }] }]
    const { code, value } = await cli.json(['import', cli.write('large.json', policy), '--out', 'large'])
    expect([code, value]).toEqual([0, { files: ['large/policy.json'], changes: [] }])
    expect((await cli.run(['policy', 'check', 'large/policy.json'])).code).toBe(0)
  })

  it('replaces files with --yes only, where it cannot ask', async () => {
    const first = cli.write('first.json', POLICY)
    const second = cli.write('second.json', [])
    expect((await cli.run(['import', first, '--out', 'kept'])).code).toBe(0)
    const { code, stderr } = await cli.run(['import', second, '--out', 'kept'])
    expect(code).toBe(2)
    expect(stderr).toContain('hint: give --yes')
    expect(readWritten('kept', 'policy.json')).toEqual(POLICY)
    expect((await cli.run(['import', second, '--out', 'kept', '--yes'])).code).toBe(0)
    expect(readWritten('kept', 'policy.json')).toEqual([])
    expect(readdirSync(join(cli.directory, 'kept'))).toEqual(['policy.json'])
  })

  it('fills in $PROJECT_ID, and leaves entries with it out otherwise', async () => {
    const users = { roles: ['k8s_admin'], projects: ['$PROJECT_ID'] }
    const file = cli.write('magnum.json', [{ users, resource_permissions: { '*/*': ['*'] } }])
    const without = await cli.json(['import', file, '--out', 'magnum'])
    expect(without.value).toMatchObject({ changes: [{ message: expect.stringContaining('$PROJECT_ID') }] })
    expect(readWritten('magnum', 'policy.json')).toEqual([])
    const filled = await cli.json(['import', file, '--out', 'magnum', '--yes', '--project-id', ID])
    expect(filled.value).toMatchObject({ changes: [{ path: '[0]', message: `$PROJECT_ID is now ${ID}` }, {}] })
    expect(readWritten('magnum', 'policy.json')).toMatchObject([{ users: { projects: [ID] } }])
    expect((await cli.run(['import', file, '--out', 'magnum', '--yes', '--project-id', 'demo'])).code).toBe(2)
  })

  it('repeats no static token', async () => {
    const tokens = 'hunter2,alice,1\nhunter22,system:x,2,"system:masters"\n'
    const { code, stdout, stderr } = await cli.run(['import', '-', '--out', 'tokens'], { stdin: tokens })
    expect(code).toBe(0)
    const written = readFileSync(join(cli.directory, 'tokens/authenticators.json'), 'utf8')
    expect(stdout + stderr + written).not.toContain('hunter2')
    const broken = await cli.run(['import', '-', '--out', 'tokens', '--yes'], { stdin: 'hunter2,"alice,1\nx,y,z\n' })
    expect(broken.code).toBe(1)
    expect(broken.stderr).not.toContain('hunter2')
  })
})

describe('importPolicy()', () => {
  const OPTIONS = { homeDomain: HOME, projectId: undefined }
  const changesOf = (entry: unknown) => importPolicy([entry], OPTIONS).changes

  it.each([
    [null, '[0]', 'crashed'],
    [{ resource: { verbs: ['get'], resources: ['pods'], version: '*' } }, '[0].resource.namespace', 'crashed'],
    [{ user: { roles: ['a'] }, resource_permissions: {} }, '[0].user', 'could grant more than it says'],
    [{ users: { roles: 'admin' } }, '[0].users.roles', 'could grant more than it says'],
  ])('leaves %j out, and says why', (entry, path, message) => {
    const { documents, changes } = importPolicy([{}, entry], OPTIONS)
    expect(documents).toEqual([{ name: 'policy.json', document: [{}] }])
    expect(changes).toMatchObject([{ path: path.replace('[0]', '[1]'), message: expect.stringContaining(message) }])
  })

  it.each([
    [{ match: [{ type: 'group', values: [ID] }], nonresource: { verbs: ['get'], path: '*' } }, 'group by id'],
    [{ resource_permissions: { 'a/configmaps': ['get'] } }, 'service accounts among them'],
    [{ resource_permissions: { '!/pods': ['get'] } }, 'could match more than it excludes'],
    [{ users: { projects: [ID] }, resource_permissions: {} }, 'a project of this name matched too'],
    [
      { users: { projects: [ID] }, resource_permissions: { 'a/secrets': ['get'] } },
      'matched requests for subresources',
    ],
  ])('names what %j means here', (entry, message) => {
    expect(changesOf(entry)).toContainEqual({ path: expect.any(String), message: expect.stringContaining(message) })
  })

  it.each([
    ['[{"resource_permissions":{"*/*":["*"]},"__proto__":{}}]', '[0].__proto__'],
    ['[{"users":{"__proto__":{},"projects":["demo"]}}]', '[0].users.__proto__'],
    ['[{"resource_permissions":{"__proto__":["get"]}}]', '[0].resource_permissions.__proto__'],
    ['[{"nonresource_permissions":{"__proto__":["get"]}}]', '[0].nonresource_permissions.__proto__'],
  ])('leaves out the entry of %s, which no document may hold', (text, path) => {
    const { documents, changes } = importPolicy(JSON.parse(text), OPTIONS)
    expect(documents).toEqual([{ name: 'policy.json', document: [] }])
    expect(changes).toMatchObject([{ path, message: expect.stringContaining('left out') }])
  })

  it('names every entry that allows a request there and not here, for random policies', () => {
    let named = 0
    fc.assert(
      fc.property(listDocument, fc.array(anyAttributes, { minLength: 12, maxLength: 12 }), (policy, all) => {
        const { documents, changes } = importPolicy(policy, OPTIONS)
        const imported = parsePolicy(documents[0]?.document, HOME)
        if (!imported.ok) throw new Error(JSON.stringify(imported.error))
        for (const attributes of all.filter(isAsked)) {
          if (imported.value.policy.decide(attributes).decision === 'allow') continue
          for (const [index, entry] of policy.entries()) {
            if (!keystoneAuthAllows([entry], attributes)) continue
            expect([changes.some(({ path }) => path.startsWith(`[${index}]`)), entry, attributes]).toEqual([
              true,
              entry,
              attributes,
            ])
            named += 1
          }
        }
      }),
      { numRuns: 3000 },
    )
    expect(named).toBeGreaterThan(30)
  })
})

/** What kube-apiserver can ask: a resource with a name, and a verb. */
function isAsked({ request }: AccessAttributes): boolean {
  if (request.kind === 'nonresource') return request.verb !== ''
  if (request.verb === '' || request.resource === '' || request.resource !== request.resource.toLowerCase())
    return false
  return true
}

describe('the policies of docs/policy.md', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/policy.md'), 'utf8')
  const policies = [...page.matchAll(/^```json policy\n(.*?)^```/gms)].map(([, text]) => JSON.parse(text ?? ''))

  it('can be imported, and then mean the same to users of Keystone', () => {
    expect(policies.length).toBeGreaterThan(5)
    for (const policy of policies) {
      const { documents } = importPolicy(policy, { homeDomain: HOME, projectId: undefined })
      expect(documents).toEqual([{ name: 'policy.json', document: policy }])
    }
  })
})

describe('accidentalSubresources()', () => {
  it.each([
    ['*/pods', ['pods/exec', 'pods/log']],
    ["default/['pods', 'deployments']", ['pods/exec', 'deployments/scale']],
    ["!kube-system/!['secrets']", ['pods/exec', 'serviceaccounts/token']],
    ['default/widgets', ['widgets/status']],
  ])('names those of %s', (key, subresources) => {
    expect(accidentalSubresources(key)).toEqual(expect.arrayContaining(subresources))
    const granted = parsePolicy({ policies: [{ resource_permissions: { [toSubresourceKey(key)]: ['get'] } }] }, HOME)
    expect(granted).toMatchObject({ ok: true, value: { warnings: [] } })
  })

  it.each([['*/*'], ['default/configmaps'], ["default/['secrets', 'events']"], ['pods'], ['a/[']])(
    'names none of %s',
    (key) => {
      expect(accidentalSubresources(key)).toEqual([])
    },
  )
})

describe('importSync()', () => {
  it('names keys that k8s-keystone-auth ignores', () => {
    const { documents, changes } = importSync({ data_types_to_sync: ['projects'], 'role-mappings': [] }, HOME)
    expect(documents.map(({ name }) => name)).toEqual(['mapping.json'])
    expect(changes).toMatchObject([
      { path: 'data_types_to_sync', message: expect.stringContaining('data-types-to-sync') },
    ])
  })

  it('lists system: groups in system-groups, and leaves out what a mapping cannot hold', () => {
    const { documents, changes } = importSync(
      {
        'role-mappings': [
          { 'keystone-role': 'a', groups: ['system:masters'], comment: 'x' },
          { 'keystone-role': '', groups: ['b'] },
          { 'keystone-role': 'c', username: 'system:admin' },
          { 'keystone-role': 'd', username: null, groups: ['d'] },
        ],
      },
      HOME,
    )
    const [mapping] = documents
    expect(mapping?.document).toEqual({
      'role-mappings': [
        { 'keystone-role': 'a', groups: ['system:masters'] },
        { 'keystone-role': 'd', groups: ['d'] },
      ],
      'system-groups': ['system:masters'],
    })
    expect(parseMapping(mapping?.document, { digest: '', homeDomain: HOME }).ok).toBe(true)
    expect(changes.map(({ path }) => path)).toEqual([
      'role-mappings[0].comment',
      'role-mappings[0]',
      'role-mappings[1].keystone-role',
      'role-mappings[2].username',
    ])
  })
})

describe('importTokens()', () => {
  it('takes quotes, comments and the last of equal tokens', () => {
    const { documents, changes } = importTokens('# tokens\na,alice,1,"x,y"\n\nb,"b ""bob""",\na,carol,2,\n')
    expect(documents).toMatchObject([
      { document: { static: [{ username: 'carol', uid: '2' }, { username: 'b "bob"' }] } },
    ])
    expect(changes.map(({ path }) => path)).toEqual(['line 5'])
  })
})
