import { type KeystonePeople, uniqueName } from '../../support/keystone-people.ts'

/** The part of a TokenReview's `status.user` that acts are seen in. */
interface ReviewedUser {
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Somebody with a token, and what is going to be taken away. */
export interface Prepared {
  readonly token: string
  perform(): Promise<unknown>
  /** Whether a user who is authenticated still has what was taken away; absent where that was everything. */
  has?(user: ReviewedUser): boolean
}

/** Acts by Keystone's API, under the names that docs/revocation.md has for them. */
export const KEYSTONE_ACTS: Readonly<Record<string, (keystone: KeystonePeople) => Promise<Prepared>>> = {
  async 'token revoked'({ newTenant, as, adminToken }) {
    const { token } = await newTenant()
    const request = { method: 'DELETE', path: '/auth/tokens', headers: { 'X-Subject-Token': token } }
    return { token, perform: () => mustSucceed(as(adminToken).send(request)) }
  },
  async 'user disabled'({ newTenant, admin }) {
    const { token, person } = await newTenant()
    return { token, perform: () => admin.update('users', person.id, { enabled: false }) }
  },
  async 'password changed'({ newTenant, as }) {
    const { token, person } = await newTenant()
    const body = { user: { original_password: person.password, password: uniqueName('password') } }
    const request = { method: 'POST', path: `/users/${person.id}/password`, body }
    return { token, perform: () => mustSucceed(as(token).send(request)) }
  },
  async 'last role on the project removed'({ newTenant, admin, role }) {
    const { token, person, project } = await newTenant()
    const grant = { role: await role('member'), user: person.id, project: project.id }
    return { token, perform: () => admin.ungrant(grant) }
  },
  async 'one of several roles removed'({ newTenant, admin, role, token: tokenOf }) {
    const { person, project } = await newTenant({ role: 'reader' })
    const grant = { role: await role('member'), user: person.id, project: project.id }
    await admin.grant(grant)
    return {
      token: await tokenOf(person, { project: project.id }),
      perform: () => admin.ungrant(grant),
      has: ({ extra }) => extra?.['alpha.kubernetes.io/identity/roles']?.includes('member') === true,
    }
  },
  async 'user removed from a group'({ newTenant, admin }) {
    const { token, person } = await newTenant()
    const group = await admin.create('groups', { name: uniqueName('group'), domain_id: 'default' })
    await admin.addToGroup(group.id, person.id)
    return {
      token,
      perform: () => admin.removeFromGroup(group.id, person.id),
      has: ({ groups }) => groups?.includes(group.name) === true,
    }
  },
  async 'project disabled'({ newTenant, admin }) {
    const { token, project } = await newTenant()
    return { token, perform: () => admin.update('projects', project.id, { enabled: false }) }
  },
  async 'application credential deleted'({ newTenant, as, admin, tryLogIn }) {
    const { token, person } = await newTenant()
    const name = uniqueName('credential')
    const { id, secret } = await as(token).createApplicationCredential(person.id, { name })
    const reply = await tryLogIn({ credential: id, secret })
    return {
      token: reply.headers.get('X-Subject-Token') ?? '',
      perform: () => admin.removeApplicationCredential(person.id, id),
    }
  },
}

/** A request that failed would leave nothing to measure. */
async function mustSucceed(reply: Promise<{ status: number }>): Promise<void> {
  const { status } = await reply
  if (status >= 300) throw new Error(`Keystone answered ${status}`)
}
