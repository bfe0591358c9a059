import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { ConfigNamespace } from '../../../src/documents/live-document.ts'
import { settle } from '../../support/clock.ts'
import { createStage, timed } from '../../support/documents-stage.ts'
import { DEMO_ID } from '../../support/keystone-answers.ts'
import { CALLER_TOKEN, putDocument } from '../../support/webhook.ts'

const UNREADABLE = 'keystone-edge-auth: the mapping document cannot be read now; see /readyz'

/** A new isolate whose CONFIG answers each read correctly after so long. */
async function prepare(delayMs: number) {
  const stage = await createStage()
  await putDocument('mapping', { username: 'v1:{user.name}' })
  const get = async (key: string): Promise<string | null> => {
    const late = Promise.withResolvers<void>()
    stage.clock.startTimer(delayMs, late.resolve)
    await late.promise
    return env.CONFIG.get(key)
  }
  const isolate = await stage.isolate({ config: { get } as unknown as ConfigNamespace })
  const review = () => timed(stage.clock, isolate.look())
  return { stage, isolate, review }
}

describe('a late read of an old version', () => {
  it('does not become the last good version when a newer one has come into force', async () => {
    const stage = await createStage()
    await putDocument('mapping', { username: 'v1:{user.name}' })
    const late = Promise.withResolvers<void>()
    let isHeld = true
    const get = async (key: string): Promise<string | null> => {
      const text = await env.CONFIG.get(key)
      if (isHeld && key === 'mapping') await late.promise
      return text
    }
    const isolate = await stage.isolate({ config: { get } as unknown as ConfigNamespace })
    await timed(stage.clock, isolate.look())
    isHeld = false
    await putDocument('mapping', { username: 'v2:{user.name}' })
    stage.clock.advance(3_000)
    await isolate.look()
    for (let turns = 0; turns < 10; turns += 1) await settle()
    late.resolve()
    for (let turns = 0; turns < 10; turns += 1) await settle()
    expect(await isolate.look()).toEqual(['v2:alice', DEMO_ID])
    await isolate.background()
    stage.config.fault = 'fails'
    expect(await (await stage.isolate()).look()).toEqual(['v2:alice', DEMO_ID])
  })
})

describe('a CONFIG that answers after 5 s', () => {
  it('is used when it has answered, though later reads have not', async () => {
    const { stage, review } = await prepare(5_000)
    const answers: unknown[] = []
    for (let seconds = 0; seconds < 12; seconds += 1) {
      answers.push((await review()).value)
      stage.clock.advance(1_000)
      for (let turns = 0; turns < 5; turns += 1) await settle()
    }
    expect(answers[0]).toBe(UNREADABLE)
    expect(answers.slice(-3)).toEqual(Array(3).fill(['v1:alice', DEMO_ID]))
  })
})

describe('a CONFIG that answers after 600 ms', () => {
  it('is used when it has answered: a review waits half a second, and the next one has the document', async () => {
    const { stage, isolate, review } = await prepare(600)
    const first = await review()
    expect(first.value).toBe(UNREADABLE)
    expect(first.tookMs).toBeLessThanOrEqual(1_000)
    stage.clock.advance(200)
    // The real KV behind the delay takes time of its own.
    for (let turns = 0; turns < 10; turns += 1) await settle()
    for (let times = 0; times < 5; times += 1) {
      expect(await review()).toEqual({ value: ['v1:alice', DEMO_ID], tookMs: 0 })
      stage.clock.advance(5_000)
      await settle()
    }
    expect((await timed(stage.clock, isolate.ready(CALLER_TOKEN))).value.json.documents.mapping).toMatchObject({
      source: 'config',
      faults: [],
    })
  })

  it('brings an edit into force too, behind the answers', async () => {
    const { stage, review } = await prepare(600)
    await review()
    stage.clock.advance(100)
    await settle()
    await putDocument('mapping', { username: 'v2:{user.name}' })
    for (let seconds = 0; seconds < 36; seconds += 3) {
      await review()
      stage.clock.advance(3_000)
      await settle()
    }
    expect((await review()).value).toEqual(['v2:alice', DEMO_ID])
  })
})
