import { describe, expect, it } from 'vitest'
import { ALICE_ID, DEMO_ID, groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { createWebhook } from '../../support/webhook.ts'

async function alicesKeystone(request: Request): Promise<Response> {
  return request.url.endsWith('/groups')
    ? Response.json(groupsBody([{ id: 'b'.repeat(32), name: 'developers', domain_id: 'default' }]))
    : Response.json(tokenBody())
}

describe('a TokenReview of a valid token', () => {
  for (const version of ['v1', 'v1beta1'] as const) {
    it(`is answered in ${version} with the Keystone user`, async () => {
      const webhook = await createWebhook({ keystone: alicesKeystone })
      const answer = await webhook.review(fernetShaped(), { version })
      expect(answer.status).toBe(200)
      expect(answer.json).toEqual({
        apiVersion: `authentication.k8s.io/${version}`,
        kind: 'TokenReview',
        status: {
          authenticated: true,
          user: {
            username: 'alice',
            uid: ALICE_ID,
            groups: [DEMO_ID, 'developers'],
            extra: {
              'alpha.kubernetes.io/identity/project/id': [DEMO_ID],
              'alpha.kubernetes.io/identity/project/name': ['demo'],
              'alpha.kubernetes.io/identity/roles': ['member', 'reader'],
              'alpha.kubernetes.io/identity/user/domain/id': ['default'],
              'alpha.kubernetes.io/identity/user/domain/name': ['Default'],
              'keystone.openstack.org/audit-ids': ['kh4Hs0n0QGq8mGJHc1tGmA'],
              'keystone.openstack.org/methods': ['password'],
              'keystone.openstack.org/project-domain-id': ['default'],
              'keystone.openstack.org/scope': ['project'],
              'keystone-edge-auth/authenticator': ['keystone'],
            },
          },
        },
      })
    })
  }

  it('costs two Keystone requests once, and none while it is remembered', async () => {
    const webhook = await createWebhook({ keystone: alicesKeystone })
    const token = fernetShaped()
    for (let times = 0; times < 5; times += 1) await webhook.review(token)
    expect(webhook.keystoneRequests.map((request) => new URL(request.url).pathname)).toEqual([
      '/v3/auth/tokens',
      `/v3/users/${ALICE_ID}/groups`,
    ])
    expect(webhook.reviews().map((line) => [line.source, line.keystoneCalls])).toEqual([
      ['keystone', 2],
      ...Array(4).fill(['memory', 0]),
    ])
  })
})
