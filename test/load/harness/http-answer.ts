/** An HTTP/1.1 answer. */
export interface Answer {
  readonly status: number
  /** By lower-case name; of several with one name, the last. */
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
}

/** The answer at the beginning of the bytes, `undefined` while they do not hold all of it. */
export function readAnswer(bytes: Buffer, bodiless: boolean): Answer | 'not HTTP' | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) return 'not HTTP'
  const headers = new Map(lines.map(toHeader))
  const body = bodiless ? Buffer.alloc(0) : readBody(bytes.subarray(end + 4), headers)
  return body && { status, headers, text: body.toString() }
}

function toHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

function readBody(bytes: Buffer, headers: ReadonlyMap<string, string>): Buffer | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes)
  const length = Number(headers.get('content-length') ?? 0)
  return bytes.length < length ? undefined : bytes.subarray(0, length)
}

function readChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
