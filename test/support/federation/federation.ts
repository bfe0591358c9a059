import { randomUUID } from 'node:crypto'
import { type KeystonePeople, openKeystone, uniqueName } from '../keystone-people.ts'
import { type OpenidProvider, startOpenidProvider } from '../openid-provider/openid-provider.ts'
import { type OidcProxy, startOidcProxy } from './oidc-proxy.ts'

/** The Keystone that is to federate, and with what. */
interface FederationOptions {
  /** A real one, or an embedded one that listens. */
  keystone: { url: string; adminPassword: string }
  /** The id of the identity provider in Keystone; no two at once have the same. Default `testidp`. */
  idp?: string
  /** The clock of the OpenID provider. Default: the system's. */
  now?: () => number
  /** The least time between two polls of a device. Default 5. */
  deviceIntervalSeconds?: number
}

/** A Keystone whose users come from an OpenID provider. Everything is on loopback. */
export interface Federation {
  /** Identity API root, through the proxy that checks access tokens. */
  keystoneUrl: string
  discoveryUrl: string
  /** The identity provider and its protocol, as ids in Keystone. */
  idp: string
  protocol: 'openid'
  /**
   * A client that may use all grants. Its secret has characters that must be encoded in HTTP Basic. Logged in for itself it is
   * the user `service-account-<clientId>`.
   */
  clientId: string
  clientSecret: string
  /** A client without a secret, for devices. */
  publicClientId: string
  scope: 'openid email'
  /** A user at the provider, known to Keystone from the first login on. */
  user: string
  password: string
  /** Where the mapping puts every user of the provider; the group has the role `member` on the project. */
  group: { id: string; name: string }
  project: { id: string; name: string }
  /** The domain of the federated users. */
  domain: { id: string; name: string }
  /** `METHOD path` of every request to Keystone, in order. */
  keystoneRequests: string[]
  /** The same of the provider, with the grants. */
  providerRequests: string[]
  /** What the user does who reads this code on a device. */
  approveDevice(userCode: string): void
  denyDevice(userCode: string): void
  /** Ends the servers and takes the identity provider out of Keystone. What was made for it stays. */
  stop(): Promise<void>
}

const PROTOCOL = 'openid'

/** Brings a Keystone to federate: provider and proxy are started, and Keystone is told of the provider. */
export async function startFederation(options: FederationOptions): Promise<Federation> {
  const { keystone, idp = 'testidp' } = options
  const registration = newRegistration()
  const connection = { url: keystone.url, fetch: (request: Request) => fetch(request) }
  const people = await openKeystone(connection, keystone.adminPassword)
  const provider = await startOpenidProvider({ ...registration.provider, ...timing(options) })
  const proxy = await startOidcProxy({
    keystoneUrl: keystone.url,
    authPath: `/OS-FEDERATION/identity_providers/${idp}/protocols/${PROTOCOL}/auth`,
    introspectionUrl: provider.introspectionUrl,
    client: registration.proxy,
  })
  const end = () => Promise.all([proxy.close(), provider.close()])
  try {
    const told = await tellKeystone(people, idp, provider.issuer)
    return {
      ...addressesOf(provider, proxy),
      ...registration.shown,
      ...told.shown,
      idp,
      protocol: PROTOCOL,
      approveDevice: (userCode) => provider.approveDevice(userCode, registration.shown.user),
      denyDevice: provider.denyDevice,
      async stop() {
        await end()
        await told.undo()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

function timing({ now, deviceIntervalSeconds }: FederationOptions) {
  return {
    ...(now !== undefined && { now }),
    ...(deviceIntervalSeconds !== undefined && { deviceIntervalSeconds }),
  }
}

function addressesOf(provider: OpenidProvider, proxy: OidcProxy) {
  return {
    keystoneUrl: proxy.url,
    discoveryUrl: provider.discoveryUrl,
    keystoneRequests: proxy.requests,
    providerRequests: provider.requests,
  }
}

/** Who is registered at the provider. */
function newRegistration() {
  const user = { username: 'ursula', password: randomUUID(), sub: randomUUID(), email: 'ursula@example.com' }
  const [secret, proxySecret] = [`${randomUUID()} +/%3A:`, randomUUID()]
  const device = 'urn:ietf:params:oauth:grant-type:device_code'
  const scopes = ['openid', 'email']
  const clients = [
    { id: 'cli', secret, scopes, grants: ['client_credentials', 'password', device] },
    { id: 'public-cli', scopes, grants: [device] },
    { id: 'proxy', secret: proxySecret, scopes: [], grants: [] },
  ] as const
  return {
    provider: { clients, users: [user] },
    proxy: { id: 'proxy', secret: proxySecret },
    shown: {
      clientId: 'cli',
      clientSecret: secret,
      publicClientId: 'public-cli',
      scope: 'openid email',
      user: user.username,
      password: user.password,
    },
  } as const
}

/** Makes the domain, group and project of the federated users, and registers the provider with its mapping. */
async function tellKeystone({ admin, role }: KeystonePeople, idp: string, issuer: string) {
  const domain = await admin.create('domains', { name: uniqueName('federated') })
  const group = await admin.create('groups', { name: uniqueName('mapped-group'), domain_id: 'default' })
  const project = await admin.create('projects', { name: uniqueName('project'), domain_id: 'default' })
  await admin.grant({ role: await role('member'), group: group.id, project: project.id })
  const mapping = uniqueName('mapping')
  const act = async (method: 'PUT' | 'DELETE', path: string, body?: unknown) => {
    const { status } = await admin.send({ method, path: `/OS-FEDERATION${path}`, body })
    if (status !== 201 && status !== 204) throw new Error(`${method} ${path}: ${status}`)
  }
  await act('PUT', `/identity_providers/${idp}`, {
    identity_provider: { enabled: true, domain_id: domain.id, remote_ids: [issuer] },
  })
  const local = [{ user: { id: '{0}', name: '{1}' } }, { group: { id: group.id } }]
  const remote = [{ type: 'HTTP_OIDC_SUB' }, { type: 'HTTP_OIDC_PREFERRED_USERNAME' }]
  await act('PUT', `/mappings/${mapping}`, { mapping: { rules: [{ local, remote }] } })
  await act('PUT', `/identity_providers/${idp}/protocols/${PROTOCOL}`, { protocol: { mapping_id: mapping } })
  return {
    shown: { domain, group, project },
    async undo() {
      await act('DELETE', `/identity_providers/${idp}/protocols/${PROTOCOL}`)
      await act('DELETE', `/identity_providers/${idp}`)
    },
  }
}
