import * as v from 'valibot'
import { call, type Reply } from '../../../src/dev/embedded-keystone/api-call.ts'
import type { Federation } from '../../support/federation/federation.ts'

const Endpoints = v.object({ token_endpoint: v.string(), device_authorization_endpoint: v.string() })
const TokenAnswer = v.object({ access_token: v.string() })
const DeviceAnswer = v.object({ device_code: v.string(), user_code: v.string() })

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** Where the provider takes requests, by its discovery document. */
export async function discover({ discoveryUrl }: Federation): Promise<v.InferOutput<typeof Endpoints>> {
  return v.parse(Endpoints, await (await fetch(discoveryUrl)).json())
}

/** An access token of the provider, for the grant in `form`. @throws when it gives none */
export async function accessToken(federation: Federation, form: Record<string, string>): Promise<string> {
  const { token_endpoint: url } = await discover(federation)
  return v.parse(TokenAnswer, await post(url, { ...clientOf(federation), ...form })).access_token
}

/** The access token of the federation's user, by password. */
export function usersAccessToken(federation: Federation): Promise<string> {
  return accessToken(federation, {
    grant_type: 'password',
    username: federation.user,
    password: federation.password,
    scope: federation.scope,
  })
}

/** What a device is given to show. */
export async function startDevice(federation: Federation): Promise<v.InferOutput<typeof DeviceAnswer>> {
  const { device_authorization_endpoint: url } = await discover(federation)
  return v.parse(DeviceAnswer, await post(url, { ...clientOf(federation), scope: federation.scope }))
}

/** Keystone's answer, through the proxy, to a login with this access token. */
export function exchange(federation: Federation, token: string, method: 'GET' | 'POST' = 'POST'): Promise<Reply> {
  return federatedLogin(federation, { Authorization: `Bearer ${token}` }, method)
}

/** The same with any headers. */
export function federatedLogin(
  federation: Federation,
  headers: Record<string, string>,
  method: 'GET' | 'POST' = 'POST',
): Promise<Reply> {
  const { keystoneUrl: url, idp, protocol } = federation
  const path = `/OS-FEDERATION/identity_providers/${idp}/protocols/${protocol}/auth`
  return call({ url, fetch: (request) => fetch(request) }, { method, path, headers })
}

/** The Keystone token of a login that must succeed. */
export async function federatedToken(federation: Federation): Promise<string> {
  const reply = await exchange(federation, await usersAccessToken(federation))
  if (reply.status !== 201) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`)
  return reply.headers.get('X-Subject-Token') ?? ''
}

function clientOf({ clientId, clientSecret }: Federation) {
  return { client_id: clientId, client_secret: clientSecret }
}

async function post(url: string, form: Record<string, string>): Promise<unknown> {
  return (await fetch(url, { method: 'POST', body: new URLSearchParams(form) })).json()
}
