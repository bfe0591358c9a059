/**
 * One binding of a Worker: text (vars and secrets), the documents that a read-only KV namespace holds, or the loopback
 * address of a server that is a KV namespace.
 */
export type Binding =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly address: string }
  | { readonly name: string; readonly documents: Readonly<Record<string, string>> }

/** Where the Worker listens: on a port of 127.0.0.1 that the system picks, over plain HTTP, unless told otherwise. */
export interface Socket {
  readonly port: number
  /** PEM. */
  readonly tls: { readonly key: string; readonly certificate: string }
}

/** One Worker behind one socket. */
interface WorkerConfig {
  readonly compatibilityDate: string
  readonly bindings: readonly Binding[]
  readonly socket?: Socket | undefined
}

/** The files that the configuration embeds; they lie beside it. */
export const WORKER_FILE = 'worker.js'
export const KV_FILE = 'kv.js'

/** The name of the socket in what workerd tells about itself. */
export const SOCKET = 'http'

/** A configuration for `workerd serve`. */
export function toWorkerdConfig({ compatibilityDate, bindings, socket }: WorkerConfig): string {
  const namespaces = bindings.filter((binding) => 'documents' in binding)
  const servers = bindings.filter((binding) => 'address' in binding)
  const service = ({ name, documents }: (typeof namespaces)[number]): string =>
    worker(KV_FILE, compatibilityDate, [`(name = "DOCUMENTS", text = ${quote(JSON.stringify(documents))})`], name)
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${worker(WORKER_FILE, compatibilityDate, bindings.map(toBinding), 'main')},
    ${namespaces.map((namespace) => `${service(namespace)},`).join('\n    ')}
    ${servers.map(({ name, address }) => `(name = ${quote(name)}, external = (address = ${quote(address)}, http = ())),`).join('\n    ')}
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "${SOCKET}", ${toListener(socket)}, service = "main")],
);
`
}

function toListener(socket: Socket | undefined): string {
  if (socket === undefined) return 'address = "127.0.0.1:0", http = ()'
  const { key, certificate } = socket.tls
  const keypair = `(privateKey = ${quote(key)}, certificateChain = ${quote(certificate)})`
  return `address = "127.0.0.1:${socket.port}", https = (options = (), tlsOptions = (keypair = ${keypair}))`
}

function worker(file: string, compatibilityDate: string, bindings: readonly string[], name: string): string {
  return `(name = ${quote(name)}, worker = (
      modules = [(name = "${file}", esModule = embed "${file}")],
      compatibilityDate = ${quote(compatibilityDate)},
      bindings = [${bindings.join(', ')}],
      globalOutbound = "loopback",
    ))`
}

function toBinding(binding: Binding): string {
  const value = 'text' in binding ? `text = ${quote(binding.text)}` : `kvNamespace = ${quote(binding.name)}`
  return `(name = ${quote(binding.name)}, ${value})`
}

/** Cap'n Proto takes JSON's string escapes except \u, which JSON needs for control characters only. */
function quote(text: string): string {
  const quoted = JSON.stringify(text)
  if (/\\u/.test(quoted)) throw new Error('a binding holds a control character')
  return quoted
}
