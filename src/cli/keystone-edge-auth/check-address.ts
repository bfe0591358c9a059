import { getProxyForUrl } from 'proxy-from-env'
import { usageError } from './command-error.ts'

/**
 * Refuses an address to which a secret may not go: it goes over https, or over http to this machine and past no proxy
 * of the environment, which could read it.
 */
export function checkSecureAddress(url: URL, name: string): void {
  if (url.protocol === 'https:') return
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'http:' || !isLoopback)
    throw usageError(`${name} is not https`, 'secrets go over https only, or to this machine')
  if (getProxyForUrl(url.href) !== '')
    throw usageError(`${name} is http, and a proxy of the environment would read it`, `set NO_PROXY=${url.hostname}`)
}
