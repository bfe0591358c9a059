/** The least that a Worker can do: what it answers is known before it is asked. */
export default {
  fetch(_request, env) {
    return new Response(env.ANSWER, { headers: { 'Content-Type': env.CONTENT_TYPE } })
  },
}
