/** Where a Keystone is, and how to reach it. */
export interface Connection {
  /** Identity API root, such as `http://127.0.0.1:5000/v3`. */
  url: string
  /** The global fetch, or an embedded Keystone's. */
  fetch: (request: Request) => Promise<Response>
}

/** A request below the root. */
export interface ApiRequest {
  method: string
  /** With a leading slash and, if any, the query. */
  path: string
  body?: unknown
  token?: string
  headers?: Record<string, string>
}

/** An answer, read. */
export interface Reply {
  status: number
  headers: Headers
  /** Parsed when the answer is JSON, else the text. */
  body: unknown
}

/** One request to the Identity API, whatever it answers. */
export async function call({ url, fetch }: Connection, request: ApiRequest): Promise<Reply> {
  const headers = new Headers(request.headers)
  if (request.token !== undefined) headers.set('X-Auth-Token', request.token)
  if (request.body !== undefined) headers.set('Content-Type', 'application/json')
  const body = request.body === undefined ? null : JSON.stringify(request.body)
  const response = await fetch(new Request(`${url}${request.path}`, { method: request.method, headers, body }))
  const text = await response.text()
  const isJson = response.headers.get('Content-Type')?.startsWith('application/json') === true && text !== ''
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}
