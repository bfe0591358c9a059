import * as v from 'valibot'
import { err, ok, type Result } from '../lib/result.ts'
import { concealToken, revealToken, type Token } from '../lib/secret.ts'
import type { KeystoneApi } from './api.ts'
import { Named, Timestamp } from './token-answer.ts'
import { type Unavailable, unavailable } from './unavailable.ts'

/** A domain, or something in one. */
export type DomainReference = { readonly id: string } | { readonly name: string }
export type Reference = { readonly id: string } | { readonly name: string; readonly domain?: DomainReference }

/** How a user proves who he is: one entry of `auth.identity.methods` with what belongs to it (Identity API v3). */
export type AuthMethod =
  | { readonly method: 'password'; readonly user: Reference; readonly password: string }
  | { readonly method: 'totp'; readonly user: Reference; readonly passcode: string }
  | { readonly method: 'token'; readonly token: Token }
  | {
      readonly method: 'application_credential'
      readonly credential: { readonly id: string } | { readonly name: string; readonly user: Reference }
      readonly secret: string
    }

/** What the token is for. `default`: nothing is asked for; Keystone takes the user's default project, if there is one. */
export type LogInScope =
  | { readonly kind: 'project'; readonly project: Reference }
  | { readonly kind: 'domain'; readonly domain: DomainReference }
  | { readonly kind: 'trust'; readonly id: string }
  | { readonly kind: 'system' | 'unscoped' | 'default' }

export interface LogInRequest {
  readonly methods: readonly AuthMethod[]
  readonly scope: LogInScope
  /** Of a log-in that lacked a method: `methods` holds what was missing. */
  readonly receipt?: Token
}

/** A token with what Keystone says of it. */
export interface IssuedToken {
  readonly token: Token
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly user: { readonly name: string; readonly domain: string }
  /** For people: `project demo (Default)`. */
  readonly scope: string
  readonly isUnscoped: boolean
  readonly hasAccessRules: boolean
  /** Of a trust: the token speaks for the user who trusts. */
  readonly isImpersonating: boolean
}

export type LogInFailure =
  /** Keystone answered with a status of 4xx; its message names no secret. */
  | { readonly reason: 'refused'; readonly status: number; readonly message: string }
  /** What was sent is right, and one of these sets of methods is needed together. */
  | { readonly reason: 'more_methods'; readonly receipt: Token; readonly required: readonly (readonly string[])[] }
  | Unavailable

const IssuedAnswer = v.object({
  token: v.object({
    user: v.object({ name: v.string(), domain: v.object({ name: v.nullish(v.string()), id: v.nullish(v.string()) }) }),
    issued_at: Timestamp,
    expires_at: Timestamp,
    project: v.optional(v.object({ ...Named.entries, domain: Named })),
    domain: v.optional(Named),
    system: v.optional(v.unknown()),
    application_credential: v.optional(v.object({ access_rules: v.optional(v.unknown()) })),
    'OS-TRUST:trust': v.optional(v.object({ impersonation: v.optional(v.boolean()) })),
  }),
})
const ReceiptAnswer = v.object({ required_auth_methods: v.array(v.array(v.string())) })
const ErrorAnswer = v.object({ error: v.object({ message: v.string() }) })

/** Asks for a token: `POST /auth/tokens`. Never rejects. */
export async function logIn(
  api: KeystoneApi,
  request: LogInRequest,
  deadlineMs: number,
): Promise<Result<IssuedToken, LogInFailure>> {
  const headers = request.receipt === undefined ? {} : { 'Openstack-Auth-Receipt': revealToken(request.receipt) }
  const body = { auth: { identity: toIdentity(request.methods), ...toScope(request.scope) } }
  return readIssued(await api({ method: 'POST', path: '/auth/tokens?nocatalog', headers, body, deadlineMs }))
}

/**
 * Exchanges an access token of an OpenID provider for an unscoped token of Keystone (OS-FEDERATION). A scope is then
 * asked for by `logIn` with the method `token`.
 */
export async function exchangeAccessToken(
  api: KeystoneApi,
  federation: { readonly identityProvider: string; readonly protocol: string; readonly accessToken: Token },
  deadlineMs: number,
): Promise<Result<IssuedToken, LogInFailure>> {
  const provider = encodeURIComponent(federation.identityProvider)
  const path = `/OS-FEDERATION/identity_providers/${provider}/protocols/${encodeURIComponent(federation.protocol)}/auth`
  const headers = { Authorization: `Bearer ${revealToken(federation.accessToken)}` }
  return readIssued(await api({ method: 'POST', path, headers, deadlineMs }))
}

/** Whether Keystone still takes a token, asked with the token itself. */
export async function isStillValid(
  api: KeystoneApi,
  token: Token,
  deadlineMs: number,
): Promise<Result<boolean, Unavailable>> {
  const text = revealToken(token)
  const headers = { 'X-Auth-Token': text, 'X-Subject-Token': text }
  const answer = await api({ path: '/auth/tokens?nocatalog', headers, deadlineMs })
  if (!answer.ok) return answer
  const { status } = answer.value
  if (status === 200) return ok(true)
  return status === 401 || status === 404 ? ok(false) : err(unavailable('status', status))
}

/** Revokes a token with itself. A token that Keystone does not know any more is revoked already. */
export async function revoke(api: KeystoneApi, token: Token, deadlineMs: number): Promise<Result<void, Unavailable>> {
  const text = revealToken(token)
  const headers = { 'X-Auth-Token': text, 'X-Subject-Token': text }
  const answer = await api({ method: 'DELETE', path: '/auth/tokens', headers, deadlineMs })
  if (!answer.ok) return answer
  const { status } = answer.value
  return status < 300 || status === 401 || status === 404 ? ok(undefined) : err(unavailable('status', status))
}

function readIssued(answer: Awaited<ReturnType<KeystoneApi>>): Result<IssuedToken, LogInFailure> {
  if (!answer.ok) return answer
  const { status, headers, body } = answer.value
  if (status === 401) {
    const receipt = headers.get('Openstack-Auth-Receipt')
    const missing = v.safeParse(ReceiptAnswer, body)
    if (receipt !== null && missing.success)
      return err({
        reason: 'more_methods',
        receipt: concealToken(receipt),
        required: missing.output.required_auth_methods,
      })
  }
  if (status >= 400 && status < 500) return err({ reason: 'refused', status, message: messageOf(body) })
  if (status !== 200 && status !== 201) return err(unavailable('status', status))
  const token = headers.get('X-Subject-Token')
  const parsed = v.safeParse(IssuedAnswer, body)
  if (token === null || token === '' || !parsed.success) return err(unavailable('malformed', status))
  return ok(toIssued(concealToken(token), parsed.output.token))
}

function messageOf(body: unknown): string {
  const parsed = v.safeParse(ErrorAnswer, body)
  return parsed.success ? parsed.output.error.message : ''
}

function toIssued(token: Token, answer: v.InferOutput<typeof IssuedAnswer>['token']): IssuedToken {
  const { user, project, domain, system } = answer
  const scope =
    (project && `project ${project.name} (${project.domain.name})`) ??
    (domain && `domain ${domain.name}`) ??
    (system === undefined ? 'no scope' : 'system')
  const rules = answer.application_credential?.access_rules
  return {
    token,
    issuedAtMs: answer.issued_at,
    expiresAtMs: answer.expires_at,
    user: { name: user.name, domain: user.domain.name ?? user.domain.id ?? '' },
    scope,
    isUnscoped: project === undefined && domain === undefined && system === undefined,
    hasAccessRules: rules !== undefined && rules !== null,
    isImpersonating: answer['OS-TRUST:trust']?.impersonation === true,
  }
}

function toIdentity(methods: readonly AuthMethod[]) {
  return {
    methods: methods.map(({ method }) => method),
    ...Object.fromEntries(methods.map((method) => [method.method, toMethodBody(method)])),
  }
}

function toMethodBody(method: AuthMethod): unknown {
  switch (method.method) {
    case 'password':
      return { user: { ...method.user, password: method.password } }
    case 'totp':
      return { user: { ...method.user, passcode: method.passcode } }
    case 'token':
      return { id: revealToken(method.token) }
    case 'application_credential':
      return { ...method.credential, secret: method.secret }
  }
}

function toScope(scope: LogInScope): { readonly scope?: unknown } {
  switch (scope.kind) {
    case 'project':
      return { scope: { project: scope.project } }
    case 'domain':
      return { scope: { domain: scope.domain } }
    case 'trust':
      return { scope: { 'OS-TRUST:trust': { id: scope.id } } }
    case 'system':
      return { scope: { system: { all: true } } }
    case 'unscoped':
      return { scope: 'unscoped' }
    case 'default':
      return {}
  }
}
