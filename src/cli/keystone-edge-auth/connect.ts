import { createTransport, type Transport } from '../shared/node-fetch.ts'
import { usageError } from './command-error.ts'
import type { Files } from './files.ts'

const MAX_BYTES = 1024 * 1024

/** A transport that verifies certificates by the authority of the file, or by those of this machine. */
export async function connect(files: Files, cacert: string | undefined): Promise<Transport> {
  if (cacert === undefined) return createTransport({ insecure: false })
  return createTransport({ ca: await readAuthority(files, cacert), insecure: false })
}

/** The certificates of a file, in PEM. */
export async function readAuthority(files: Files, file: string): Promise<string> {
  const text = new TextDecoder().decode(await files.read(file, MAX_BYTES))
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw usageError(`${file} holds no certificate in PEM`)
  return text
}
