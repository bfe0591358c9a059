/** Bodies as Keystone 22 writes them, for tests that need an answer which no Keystone would give twice. */
export const ALICE_ID = '0f3c1f2a9c4b4d0e8a7b6c5d4e3f2a1b'
export const DEMO_ID = '8f14e45fceea467a9b1d5c3e2f0a7d6c'

export interface TokenOptions {
  readonly user?: Record<string, unknown>
  readonly expiresAtMs?: number
  readonly [field: string]: unknown
}

export function tokenBody({ user = {}, expiresAtMs = Date.UTC(2026, 10, 22, 14, 0, 0), ...fields }: TokenOptions = {}) {
  return {
    token: {
      methods: ['password'],
      user: {
        domain: { id: 'default', name: 'Default' },
        id: ALICE_ID,
        name: 'alice',
        password_expires_at: null,
        ...user,
      },
      audit_ids: ['kh4Hs0n0QGq8mGJHc1tGmA'],
      expires_at: timestamp(expiresAtMs),
      issued_at: timestamp(expiresAtMs - 3_600_000),
      project: { domain: { id: 'default', name: 'Default' }, id: DEMO_ID, name: 'demo' },
      is_domain: false,
      roles: [
        { id: '9fe2ff9ee4384b1894a90878d3e92bab', name: 'member' },
        { id: 'c2b1f3a4d5e64f708192a3b4c5d6e7f8', name: 'reader' },
      ],
      ...fields,
    },
  }
}

export function groupsBody(groups: readonly { id: string; name: string; domain_id: string }[]) {
  return { groups, links: { next: null, self: 'http://keystone.test/v3/users/x/groups', previous: null } }
}

export function errorBody(code: number, message: string) {
  return { error: { code, message, title: code === 401 ? 'Unauthorized' : 'Not Found' } }
}

function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}.000000Z`
}
