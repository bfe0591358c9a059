import { type Connection, call, type Reply } from './api-call.ts'
import { succeed } from './identity-api.ts'

/** What a token is asked for: a project, domain or trust by id, the whole system, or nothing. */
export type Scope = { project: string } | { domain: string } | { trust: string } | 'system' | 'unscoped'

/** A login: how, and for what. `user` and `domain` are ids. */
export type Login =
  | { user: string; password: string; scope?: Scope }
  | { userName: string; domain: string; password: string; scope?: Scope }
  | { credential: string; secret: string }
  | { token: string; scope?: Scope }

/** A token that was issued. */
interface IssuedToken {
  token: string
  /** The answer's body. */
  body: unknown
}

/** A token. @throws Error when Keystone refuses */
export async function logIn(connection: Connection, login: Login): Promise<IssuedToken> {
  const reply = succeed(await tryLogIn(connection, login), 'POST /auth/tokens')
  return { token: reply.headers.get('X-Subject-Token') ?? '', body: reply.body }
}

/** The answer to a login, whatever it is; without the service catalog. */
export function tryLogIn(connection: Connection, login: Login): Promise<Reply> {
  const scope = 'scope' in login && login.scope !== undefined ? { scope: encodeScope(login.scope) } : {}
  const body = { auth: { identity: encodeIdentity(login), ...scope } }
  return call(connection, { method: 'POST', path: '/auth/tokens?nocatalog', body })
}

function encodeIdentity(login: Login): Record<string, unknown> {
  if ('token' in login) return { methods: ['token'], token: { id: login.token } }
  if ('credential' in login) {
    const credential = { id: login.credential, secret: login.secret }
    return { methods: ['application_credential'], application_credential: credential }
  }
  const { password } = login
  const who = 'user' in login ? { id: login.user } : { name: login.userName, domain: { id: login.domain } }
  return { methods: ['password'], password: { user: { ...who, password } } }
}

function encodeScope(scope: Scope): unknown {
  if (scope === 'unscoped') return 'unscoped'
  if (scope === 'system') return { system: { all: true } }
  if ('project' in scope) return { project: { id: scope.project } }
  if ('domain' in scope) return { domain: { id: scope.domain } }
  return { 'OS-TRUST:trust': { id: scope.trust } }
}
