import { existsSync } from 'node:fs'
import { serveWebhook, type Webhook } from '../../harness/bundled-webhook.ts'
import { keepBusy } from '../../harness/keep-busy.ts'
import { type KvServer, serveKv } from '../../harness/kv-server.ts'
import type { Exchange } from '../../harness/raw-connection.ts'
import { reviewRequest, tokenReview } from '../../harness/reviews.ts'
import { createRandom } from '../../harness/seeded-random.ts'
import type { Stage } from '../../harness/stage.ts'
import { percentileOf } from '../../harness/statistics.ts'
import { fernetShaped } from '../../harness/token-shapes.ts'
import { type CountingKeystone, serveAcceptingKeystone } from '../accepting-keystone.ts'
import { checkWebhook, isAlice } from '../contenders.ts'
import type { Contender, Load, LoadOptions, Pair, Scenario, ScenarioOptions } from '../scenario.ts'

/** Tokens that were never seen before, each validated, sealed and stored: one bundle against another. */
export const coldTokenReview: Scenario = {
  name: 'cold-token-review',
  title: 'A TokenReview of a token never seen before, with the bundle and with another one',
  unavailable({ against }) {
    if (against === undefined) return '--against=PATH must name the bundle to compare with'
    return existsSync(against) ? undefined : `${against} is missing`
  },
  start,
}

/** The Worker looks up two new tokens at once; more connections would measure waiting. */
const CONNECTIONS = 2
/** How long the Worker may take to store identities after the last answer. */
const STORE_MS = 5_000
const STORE_CHECK_MS = 10

async function start(stage: Stage, { against }: ScenarioOptions): Promise<Pair> {
  const keystone = await serveAcceptingKeystone(stage)
  const serve = async (name: string, bundle?: string): Promise<Contender> => {
    const cache = await serveKv(stage, {})
    const documents = { mapping: '{}' }
    const options = { name, keystoneUrl: keystone.url, documents, cache, ...(bundle !== undefined && { bundle }) }
    return new ColdWebhook(name, await serveWebhook(stage, options), cache, keystone)
  }
  return { subject: await serve('this-bundle'), baseline: await serve('against', against) }
}

/** A webhook that reviews each token once. */
class ColdWebhook implements Contender {
  readonly name: string
  readonly #webhook: Webhook
  readonly #cache: KvServer
  readonly #keystone: CountingKeystone
  /** Seeds differ between runs of the command, because tokens of one second in two runs must differ. */
  readonly #seed = Math.floor(Math.random() * 2 ** 31)
  #reviewed = 0

  constructor(name: string, webhook: Webhook, cache: KvServer, keystone: CountingKeystone) {
    this.name = name
    this.#webhook = webhook
    this.#cache = cache
    this.#keystone = keystone
  }

  get pid(): number {
    return this.#webhook.pid
  }

  /** Ends when all identities are stored. Rejects when one token was not validated, not stored, or not alice's. */
  async load({ seconds }: Pick<LoadOptions, 'seconds'>): Promise<Load> {
    this.#cache.values.clear()
    const validatedBefore = this.#keystone.validated()
    const latenciesMs: number[] = []
    let bytes = 0
    const endsAtMs = performance.now() + seconds * 1000
    const goesOn = (): boolean => performance.now() < endsAtMs
    const took = await keepBusy(this.#webhook.url, { connections: CONNECTIONS, goesOn }, async (connection) => {
      const startedAtMs = performance.now()
      const exchange = await connection.exchange(reviewRequest(this.#webhook.authorization, this.#newReview()))
      latenciesMs.push(performance.now() - startedAtMs)
      bytes += readBytes(exchange)
    })
    const requests = latenciesMs.length
    const validated = this.#keystone.validated() - validatedBefore
    if (validated !== requests) throw new Error(`invalid: Keystone validated ${validated} tokens of ${requests}`)
    await this.#untilStored(requests)
    latenciesMs.sort((a, b) => a - b)
    const [p50Ms, p99Ms] = [percentileOf(latenciesMs, 0.5), percentileOf(latenciesMs, 0.99)]
    return { requests, requestsPerSecond: requests / took, p50Ms, p99Ms, bytesPerAnswer: bytes / requests }
  }

  async check(): Promise<void> {
    await checkWebhook(this.#webhook, { authorization: this.#webhook.authorization, body: this.#newReview() })
  }

  #newReview(): string {
    this.#reviewed += 1
    return tokenReview(fernetShaped(createRandom(this.#seed, this.#reviewed)))
  }

  async #untilStored(count: number): Promise<void> {
    const endsAtMs = performance.now() + STORE_MS
    while (this.#cache.values.size < count) {
      const stored = this.#cache.values.size
      if (performance.now() > endsAtMs) throw new Error(`invalid: ${stored} identities of ${count} were stored`)
      await new Promise((done) => setTimeout(done, STORE_CHECK_MS))
    }
  }
}

/** The size of the answer's body. @throws Error when the answer is not alice */
function readBytes(exchange: Exchange): number {
  if (!('answer' in exchange)) throw new Error(`invalid: no answer: ${exchange.failure}`)
  const { status, text } = exchange.answer
  if (status !== 200 || !isAlice(text)) throw new Error(`invalid: the answer was ${status}: ${text}`)
  return Buffer.byteLength(text)
}
