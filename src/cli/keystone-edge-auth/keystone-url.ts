import { checkSecureAddress } from './check-address.ts'
import { usageError } from './command-error.ts'

/**
 * The root of the Identity API, without a slash at its end, by the rules of the var KEYSTONE_URL (contract,
 * "Configuration"). Anything else ends the command before a token is sent.
 */
export function checkKeystoneUrl(text: string): string {
  if (!URL.canParse(text)) throw usageError('the Keystone URL is none', 'expected https://keystone.example.com/v3')
  const url = new URL(text)
  checkSecureAddress(url, 'the Keystone URL')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw usageError('the Keystone URL holds more than an address', 'no user, password, query or fragment')
  if (!/\/v3\/?$/.test(url.pathname)) throw usageError('the Keystone URL does not end in /v3', 'add /v3')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}
