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
  brief: 'The document in JSON or YAML; - is standard input',
  placeholder: 'FILE',
  parse: String,
} as const

/** `--yes`: does what would be asked for. */
export const yesFlag = {
  kind: 'boolean',
  default: false,
  withNegated: false,
  brief: 'Replaces files without asking',
} as const
