/** The least that any webhook must do: it reads what it needs of the request, and then answers what it knew before. */
export default {
  async fetch(request, env) {
    const { headers, method, url } = request
    const isAsked = method === 'POST' && url.endsWith('/webhook') && headers.get('Authorization') !== null
    const isJson = headers.get('Content-Type') === 'application/json' && headers.get('Content-Length') !== null
    const review = JSON.parse(await request.text())
    if (!isAsked || !isJson || review.kind !== 'TokenReview') return new Response(null, { status: 400 })
    return new Response(env.ANSWER, { headers: { 'Content-Type': env.CONTENT_TYPE } })
  },
}
