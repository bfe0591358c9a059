import { createClock, type FrozenClock } from '../../support/clock.ts'
import { KEYSTONE_FAULTS, type KeystoneFaultName, type KvFaultName } from '../../support/faults.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { type Answer, createWebhook, type Webhook } from '../../support/webhook.ts'
import { createKv, type Kv } from './faulty-kv.ts'
import type { State } from './matrix.ts'

const TTL_MS = 120_000
const REJECTION_TTL_MS = 30_000

/** A token in one of the states, and a Keystone and a KV that can be made to fail. */
export interface Stage {
  readonly clock: FrozenClock
  readonly webhook: Webhook
  readonly token: string
  /** From now on. */
  suffer(faults: { readonly keystone?: KeystoneFaultName; readonly kv?: KvFaultName }): void
  /** A review of the token, with time moving from timer to timer until it is answered. */
  review(): Promise<TimedAnswer>
  /** Waits for what goes on behind the answers, with time standing still. */
  idle(): Promise<void>
}

export interface TimedAnswer {
  readonly answer: Answer
  readonly tookMs: number
  /** That Keystone was sent since the last review. */
  readonly requests: number
}

/** Brings a token into a state by real reviews, with everything working until it is there. */
export async function prepare(state: State): Promise<Stage> {
  const clock = createClock()
  const kv = createKv(clock)
  let fault: KeystoneFaultName = 'is well'
  const isolate = (): Promise<Webhook> =>
    createWebhook({
      clock,
      cache: kv.cache,
      config: kv.config,
      keystone: (request) => KEYSTONE_FAULTS[fault](request, clock),
    })
  const suffer: Stage['suffer'] = (faults) => {
    fault = faults.keystone ?? 'is well'
    kv.suffer(faults.kv ?? 'is well')
  }
  const token = fernetShaped()
  const webhook = await bringTo(state, { clock, kv, suffer, isolate, token })
  suffer({})
  // Documents are loaded, and not part of any cell.
  await webhook.review('garbage')
  await kv.idle()
  webhook.keystoneRequests.length = 0
  return { clock, webhook, token, suffer, idle: kv.idle, review: () => reviewTimed(webhook, token, kv) }
}

interface Preparation extends Pick<Stage, 'clock' | 'suffer' | 'token'> {
  readonly kv: Kv
  readonly isolate: () => Promise<Webhook>
}

/** The isolate for which the token is in the state. */
async function bringTo(state: State, { clock, kv, suffer, isolate, token }: Preparation): Promise<Webhook> {
  const webhook = await isolate()
  const review = async (): Promise<void> => {
    await webhook.review(token)
    await kv.idle()
  }
  const refuse = (): Promise<void> => {
    suffer({ keystone: 'answers 401, its own' })
    return review()
  }
  switch (state) {
    case 'new token':
      return webhook
    case 'memory':
      await review()
      return webhook
    case 'KV':
      // Validated twice, so that there is an older value for a KV that serves old ones.
      await review()
      clock.advance(TTL_MS)
      await review()
      return isolate()
    case 'stale':
    case 'stale in KV':
      await review()
      clock.advance(TTL_MS)
      return state === 'stale' ? webhook : isolate()
    case 'refused':
      await refuse()
      return webhook
    case 'refused before':
      await review()
      clock.advance(TTL_MS)
      await refuse()
      clock.advance(REJECTION_TTL_MS)
      return webhook
  }
}

/** A review, with time moving from timer to timer until it is answered and never overtaking the real KV. */
export async function reviewTimed(webhook: Webhook, token: string, kv: Kv): Promise<TimedAnswer> {
  const { clock, keystoneRequests } = webhook
  const startedAtMs = clock.now()
  const requestsBefore = keystoneRequests.length
  const answers: Answer[] = []
  void webhook.review(token).then((answer) => answers.push(answer))
  for (;;) {
    await kv.idle()
    const [answer] = answers
    const requests = keystoneRequests.length - requestsBefore
    if (answer !== undefined) return { answer, tookMs: clock.now() - startedAtMs, requests }
    const waitMs = clock.untilNextTimer()
    if (waitMs === undefined) throw new Error('never answered')
    clock.advance(waitMs)
  }
}
