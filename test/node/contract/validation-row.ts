import type { Keystone } from './contract-keystone.ts'

/** One case of the table: what happened to the token, and how it is answered to itself and to a service token. */
export interface Row {
  when: string
  self: number
  service: number
  headers?: Record<string, string>
  token(keystone: Keystone): Promise<string>
}
