import { serveKeystoneStandIn } from '../harness/serve-loopback.ts'
import { issueAlicesToken, serveDemoKeystone } from '../harness/served-keystone.ts'
import type { Stage } from '../harness/stage.ts'

/** A stand-in for Keystone that counts the tokens that it validated. */
export interface CountingKeystone {
  readonly url: string
  validated(): number
}

const VALIDATE = '/auth/tokens?nocatalog'

/**
 * Serves a stand-in that accepts every token as alice's, because a real Keystone cannot issue as many tokens as a
 * Worker can review. The answers are what the embedded Keystone says of one real token.
 */
export async function serveAcceptingKeystone(stage: Stage): Promise<CountingKeystone> {
  const keystone = await serveDemoKeystone(stage)
  const token = await issueAlicesToken(keystone)
  const groups = `/users/${await keystone.find('users', 'alice', 'default')}/groups`
  const read = async (path: string): Promise<string> => {
    const response = await fetch(`${keystone.url}${path}`, {
      headers: { 'X-Auth-Token': token, 'X-Subject-Token': token },
    })
    if (response.status !== 200) throw new Error(`Keystone answered ${path} with ${response.status}`)
    return response.text()
  }
  const answers = new Map([
    [`/v3${VALIDATE}`, await read(VALIDATE)],
    [`/v3${groups}`, await read(groups)],
  ])
  let validated = 0
  const url = await serveKeystoneStandIn(stage, ({ url: path = '' }) => {
    if (path === `/v3${VALIDATE}`) validated += 1
    const body = answers.get(path)
    return { status: body === undefined ? 404 : 200, headers: {}, body: body ?? '{"error":{"code":404}}' }
  })
  return { url, validated: () => validated }
}
