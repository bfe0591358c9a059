/** What the kubeconfig of a cluster's kube-apiserver says. */
export interface WebhookTarget {
  readonly cluster: string
  /** The address of the Worker, without a path of its own. */
  readonly url: string
  /** The authority of the Worker's certificate in PEM, where the machines of the cluster do not know it. */
  readonly ca?: string
  /** Where the caller's token is on a control-plane node; or the token itself, where no other file can be named. */
  readonly credential: { readonly tokenFile: string } | { readonly token: string }
}

/** The kubeconfig that kube-apiserver's webhook flags name (docs/deployment.md). */
export function toKubeconfig({ cluster, url, credential, ca }: WebhookTarget): object {
  const server = `${url}/clusters/${cluster}/webhook`
  const authority = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'keystone-edge-auth', cluster: { server, ...authority } }],
    users: [{ name: 'kube-apiserver', user: credential }],
    contexts: [{ name: 'webhook', context: { cluster: 'keystone-edge-auth', user: 'kube-apiserver' } }],
    'current-context': 'webhook',
  }
}

/**
 * The address without a trailing slash, or what is wrong with it. client-go sends a bearer token to https only, and drops
 * a query (facts of kube-apiserver's client).
 */
export function readUrl(text: string): { readonly url: string } | { readonly fault: string } {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return { fault: 'is no URL; expected one such as https://k8s-auth.example.com' }
  }
  if (url.protocol !== 'https:') return { fault: 'is not https, and kube-apiserver sends a token to https only' }
  if (url.username !== '' || url.password !== '')
    return { fault: 'holds a user or a password, which the webhook refuses' }
  if (url.search !== '' || url.hash !== '') return { fault: 'has a query or a fragment, which kube-apiserver drops' }
  if (/\/webhook\/?$/.test(url.pathname)) return { fault: 'ends in /webhook: give the address of the Worker alone' }
  return { url: `${url.origin}${url.pathname}`.replace(/\/+$/, '') }
}
