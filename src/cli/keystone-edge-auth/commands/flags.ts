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
