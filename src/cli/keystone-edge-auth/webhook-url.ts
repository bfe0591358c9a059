import { checkSecureAddress } from './check-address.ts'
import { usageError } from './command-error.ts'

/**
 * The address of the Worker without a slash at its end. The credential of a caller goes over https only, or to this
 * machine; anything else ends the command before something is sent.
 */
export function checkWebhookUrl(text: string): string {
  if (!URL.canParse(text)) throw usageError('--url is no URL', 'expected one such as https://k8s-auth.example.com')
  const url = new URL(text)
  checkSecureAddress(url, '--url')
  if (url.username !== '' || url.password !== '') throw usageError('--url holds a user or a password')
  if (url.search !== '' || url.hash !== '') throw usageError('--url has a query or a fragment')
  if (/\/(?:webhook|readyz|healthz)\/?$/.test(url.pathname))
    throw usageError('--url has a path of the Worker', 'give its address alone, such as https://k8s-auth.example.com')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}
