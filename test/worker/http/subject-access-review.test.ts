import { describe, expect, it } from 'vitest'
import { CALLER_TOKEN, createWebhook, putDocument, type Webhook } from '../../support/webhook.ts'

const IDENTITY = 'alpha.kubernetes.io/identity'
/** The example of k8s-keystone-auth's own guide. */
const GUIDE = [
  {
    resource: { verbs: ['get', 'list', 'watch'], resources: ['pods'], version: '*', namespace: 'default' },
    match: [
      { type: 'role', values: ['member'] },
      { type: 'project', values: ['demo'] },
    ],
  },
]
const EXTRA = {
  [`${IDENTITY}/project/id`]: ['423d41d3a02f4b77b4a9bbfbc3a1b3c6'],
  [`${IDENTITY}/project/name`]: ['demo'],
  [`${IDENTITY}/roles`]: ['load-balancer_member', 'member'],
}
const forbidden = (): Promise<Response> => Promise.reject(new Error('Keystone must not be asked'))

async function ask(webhook: Webhook, spec: unknown, version = 'v1') {
  return webhook.send('/webhook', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${CALLER_TOKEN}` },
    body: JSON.stringify({ apiVersion: `authorization.k8s.io/${version}`, kind: 'SubjectAccessReview', spec }),
  })
}

const pods = (verb: string) => ({ namespace: 'default', verb, group: '', version: 'v1', resource: 'pods' })
const start = (policy: unknown) => createWebhook({ keystone: forbidden, documents: { policy } })

describe('in a deployment that never had a policy', () => {
  it('a SubjectAccessReview is no opinion', async () => {
    const webhook = await start(undefined)
    const { status, json } = await ask(webhook, { user: 'x', extra: EXTRA, resourceAttributes: pods('get') })
    expect([status, json.status]).toEqual([200, { allowed: false, reason: 'no opinion: there is no policy document' }])
  })
})

describe.each(['v1', 'v1beta1'])('a SubjectAccessReview %s', (version) => {
  it("is judged as k8s-keystone-auth's guide shows", async () => {
    const webhook = await start(GUIDE)
    const allowed = await ask(webhook, { user: 'demo', extra: EXTRA, resourceAttributes: pods('get') }, version)
    expect([allowed.status, allowed.json]).toEqual([
      200,
      {
        apiVersion: `authorization.k8s.io/${version}`,
        kind: 'SubjectAccessReview',
        status: { allowed: true, reason: 'policy entry [0].resource allows it' },
      },
    ])
    const other = await ask(webhook, { user: 'demo', extra: EXTRA, resourceAttributes: pods('create') }, version)
    expect(other.json.status).toEqual({ allowed: false, reason: 'no policy entry allows it' })
    expect(webhook.reviews().map(({ decision, reason, source, user }) => [decision, reason, source, user])).toEqual([
      ['allow', 'policy [0].resource', 'policy', 'demo'],
      ['no_opinion', 'no_match', 'policy', 'demo'],
    ])
  })

  it('reads groups under the name that they have in this version only', async () => {
    const webhook = await start([
      { nonresource: { verbs: ['get'], path: '/logs*' }, match: [{ type: 'group', values: ['ops'] }] },
    ])
    const nonResourceAttributes = { verb: 'get', path: '/logs/kubelet' }
    const right = version === 'v1' ? { groups: ['ops'] } : { group: ['ops'] }
    const wrong = version === 'v1' ? { group: ['ops'] } : { groups: ['ops'] }
    const judge = async (groups: object) =>
      (await ask(webhook, { user: 'x', extra: EXTRA, nonResourceAttributes, ...groups }, version)).json.status.allowed
    expect([await judge(right), await judge(wrong)]).toEqual([true, false])
  })
})

describe('a SubjectAccessReview', () => {
  it('may leave out or null all that Kubernetes does, and carry selectors', async () => {
    const webhook = await start([{ resource: { verbs: ['*'], resources: ['*'], version: '*', namespace: '*' } }])
    const selectors = {
      fieldSelector: { rawSelector: 'a=b' },
      labelSelector: { requirements: [{ key: 'x', operator: 'Exists' }] },
    }
    for (const more of [
      {},
      { user: null, groups: null, uid: null },
      { resourceAttributes: { ...pods('list'), ...selectors } },
    ]) {
      const answer = await ask(webhook, { extra: EXTRA, resourceAttributes: {}, ...more })
      expect(answer.json.status.allowed).toBe(true)
    }
  })

  const malformed: [string, unknown, string][] = [
    ['without spec', undefined, 'spec'],
    ['with neither attributes', { user: 'x' }, 'spec'],
    ['with both attributes', { resourceAttributes: {}, nonResourceAttributes: {} }, 'spec'],
    ['whose verb is a list', { resourceAttributes: { verb: [] } }, 'spec.resourceAttributes.verb'],
    ['whose extra is text', { extra: 'x', resourceAttributes: {} }, 'spec.extra'],
    ['whose extra has a number', { extra: { a: [1] }, resourceAttributes: {} }, 'spec.extra.a[0]'],
    ['whose groups are text', { groups: 'x', resourceAttributes: {} }, 'spec.groups'],
    ['whose user is a number', { user: 1, resourceAttributes: {} }, 'spec.user'],
  ]
  for (const [name, spec, path] of malformed) {
    it(`${name}: 400 that names ${path}`, async () => {
      const answer = await ask(await start([]), spec)
      expect([answer.status, answer.json.reason, answer.json.message.split(': ')[0]]).toEqual([400, 'BadRequest', path])
    })
  }

  it('by a policy with entries that can never match: /readyz warns of them, and is ready', async () => {
    const webhook = await start([
      { users: { roles: ['member'] }, resource_permissions: { pods: ['get'], '*/pods': ['get'] } },
    ])
    const keystone = { headers: { Authorization: `Bearer ${CALLER_TOKEN}` } }
    const { json } = await webhook.send('/readyz', keystone)
    expect(json.documents.policy).toMatchObject({ source: 'config', faults: [] })
    expect(json.warnings.map(({ path }: { path: string }) => path)).toEqual([
      'policy[0].users',
      'policy[0].resource_permissions["pods"]',
    ])
  })

  it('about anyone but a Keystone user is no opinion', async () => {
    const webhook = await start([{ resource: { verbs: ['*'], resources: ['*'], version: '*', namespace: '*' } }])
    for (const extra of [undefined, {}, { 'authentication.kubernetes.io/credential-id': ['JTI=x'] }]) {
      const user = 'system:serviceaccount:kube-system:default'
      const { json } = await ask(webhook, { user, extra, resourceAttributes: pods('get') })
      expect(json.status).toEqual({ allowed: false, reason: expect.stringContaining('no opinion') })
    }
  })

  it('with on_no_match deny is denied, and discovery is not', async () => {
    const webhook = await start({ policies: [], on_no_match: 'deny' })
    const denied = await ask(webhook, { user: 'x', extra: EXTRA, resourceAttributes: pods('get') })
    expect(denied.json.status).toMatchObject({ allowed: false, denied: true })
    const discovery = await ask(webhook, {
      user: 'x',
      extra: EXTRA,
      nonResourceAttributes: { verb: 'get', path: '/api' },
    })
    expect(discovery.json.status).not.toHaveProperty('denied')
  })

  it('that cannot be decided is a 503 without Retry-After for Keystone users, and no opinion for others', async () => {
    await putDocument('clusters/prod-1/policy', '[{"roles": "admin"}]')
    const webhook = await start(GUIDE)
    const answer = await ask(webhook, { user: 'x', extra: EXTRA, resourceAttributes: pods('get') })
    expect([answer.status, answer.json.kind, answer.json.reason]).toEqual([503, 'Status', 'ServiceUnavailable'])
    expect(answer.headers.get('Retry-After')).toBeNull()
    expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'unknown', reason: 'documents' })
    const other = await ask(webhook, { user: 'system:node:a', resourceAttributes: pods('get') })
    expect([other.status, other.json.status.allowed]).toEqual([200, false])
    await putDocument('clusters/prod-1/policy', undefined)
  })

  it('with faulty settings is a 503', async () => {
    const webhook = await createWebhook({ keystone: forbidden, vars: { KEYSTONE_URL: '' } })
    expect((await ask(webhook, { user: 'x', resourceAttributes: pods('get') })).status).toBe(503)
  })
})
