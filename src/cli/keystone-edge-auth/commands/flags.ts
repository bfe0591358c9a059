/** `--home-domain ID`: as the var HOME_DOMAIN of the Worker. */
export const homeDomainFlag = {
  kind: 'parsed',
  parse: String,
  default: 'default',
  placeholder: 'ID',
  brief: 'The id of the domain whose names stay unqualified, as the var HOME_DOMAIN',
} as const

/** `-o text|json`. */
export const outputFlag = {
  kind: 'enum',
  values: ['text', 'json'],
  default: 'text',
  brief: 'text for people, json for programs',
} as const

/** A flag with a text, that may be left out. */
export function textFlag(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder, brief } as const
}

/** The document that a command is about. */
export const documentArgument = {
  brief: 'The document in JSON or YAML; - is standard input, live (with --remote or --local) the one in KV',
  placeholder: 'FILE',
  parse: String,
} as const

/** `--yes`: does what would be asked for. */
export const yesFlag = {
  kind: 'boolean',
  default: false,
  withNegated: false,
  brief: 'Does what would be asked for',
} as const

/** `--token-file`: where a new token is written. */
export const tokenFileFlag = textFlag('FILE', 'Write the token to a file of mode 0600 instead of showing it')

/** The name of a cluster. */
export const clusterArgument = { brief: 'The name of the cluster', placeholder: 'CLUSTER', parse: String } as const

/** Which KV, and whose document. */
export const placeFlags = {
  cluster: textFlag('CLUSTER', 'The document of this cluster instead of the shared one'),
  remote: { kind: 'boolean', default: false, withNegated: false, brief: 'The KV of your account' },
  local: { kind: 'boolean', default: false, withNegated: false, brief: 'The KV of npm start, on this machine' },
} as const

/** `--cacert`: for a certificate that no authority of this machine signed. */
export const cacertFlag = textFlag('FILE', 'The certificate authority of the Worker, instead of those of this machine')

/** Where the document is that a command edits: a file, or KV. */
export function targetFlags(document: string) {
  return {
    file: textFlag('FILE', `The file with the document ${document}; ${document}.json if neither it nor KV is given`),
    remote: { ...placeFlags.remote, brief: 'Edit the document in the KV of your account' },
    local: { ...placeFlags.local, brief: 'Edit the document in the KV of npm start' },
  } as const
}

/** How a command that puts a document waits for it. */
export const readyFlags = {
  url: textFlag('URL', 'Wait until /readyz of the Worker at this address shows the document'),
  callerTokenFile: textFlag('FILE', 'The credential for /readyz'),
  cacert: cacertFlag,
} as const
