import { createTransport, type Transport } from '../shared/node-fetch.ts'
import { usageError } from './command-error.ts'
import type { Files } from './files.ts'

const MAX_BYTES = 1024 * 1024

/** A transport that verifies certificates by the authority of the file, or by those of this machine. */
export async function connect(files: Files, cacert: string | undefined): Promise<Transport> {
  if (cacert === undefined) return createTransport({ insecure: false })
  const ca = new TextDecoder().decode(await files.read(cacert, MAX_BYTES))
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw usageError(`${cacert} holds no certificate in PEM`)
  return createTransport({ ca, insecure: false })
}
