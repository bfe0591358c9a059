/**
 * A KV namespace for bare workerd, in the protocol of its KV binding: it holds the documents it was started with and
 * drops what is written. A bulk read is a POST with the keys; everything else names one key in its path.
 */
export default {
  async fetch(request, env) {
    const documents = JSON.parse(env.DOCUMENTS)
    const { pathname } = new URL(request.url)
    if (request.method === 'POST' && pathname === '/bulk/get') {
      const { keys } = await request.json()
      return Response.json(Object.fromEntries(keys.map((key) => [key, documents[key] ?? null])))
    }
    if (request.method === 'GET') {
      const document = documents[decodeURIComponent(pathname.slice(1))]
      return document === undefined ? new Response(null, { status: 404 }) : new Response(document)
    }
    await request.arrayBuffer()
    return new Response(null)
  },
}
