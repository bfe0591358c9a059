import { describe, expect, it } from 'vitest'
import { createClock } from '../../support/clock.ts'
import { healthyKeystone, KEYSTONE_FAULTS, KV_FAULTS, type KvFaultName } from '../../support/faults.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { createWebhook } from '../../support/webhook.ts'
import { createKv } from './faulty-kv.ts'
import { reviewTimed } from './reliability-stage.ts'

// A new isolate, whose first review also needs documents, and "everything at once". The matrix has the rest.

/** What operators are told, where there is anything to tell. */
const REPORTED: Readonly<Partial<Record<KvFaultName, string[]>>> = {
  'read fails': ['kv_read_failed'],
  'read throws at once': ['kv_read_failed'],
  'read hangs': ['kv_read_slow'],
  'write fails': ['kv_write_failed'],
  'read and write fail': ['kv_read_failed', 'kv_write_failed'],
}

describe.each(Object.keys(KV_FAULTS) as KvFaultName[])('KV %s in a new isolate', (fault) => {
  it('costs time, never a wrong answer or a failed review', async () => {
    const clock = createClock()
    const kv = createKv(clock)
    kv.suffer(fault)
    const token = fernetShaped()
    for (const _isolate of ['first', 'second']) {
      const webhook = await createWebhook({ clock, ...kv, keystone: healthyKeystone })
      const { answer, tookMs } = await reviewTimed(webhook, token, kv)
      expect(answer.json.status).toMatchObject({ authenticated: true, user: { username: 'alice' } })
      // A new isolate asks CACHE for the last good callers, for the last good mapping and for the identity.
      expect(tookMs).toBeLessThanOrEqual(3 * 500)
      expect(webhook.keystoneRequests.length).toBeLessThanOrEqual(2)
      await kv.idle()
      const codes = webhook.log.filter((line) => line.event === 'error').map((line) => line.code)
      expect(codes).toEqual(REPORTED[fault] ?? [])
    }
  })

  it('a refused token is refused, and costs one request', async () => {
    const clock = createClock()
    const kv = createKv(clock)
    kv.suffer(fault)
    const refuse = KEYSTONE_FAULTS['answers 404, its own']
    const webhook = await createWebhook({ clock, ...kv, keystone: refuse })
    const token = fernetShaped()
    for (const source of ['keystone', 'memory']) {
      const { answer } = await reviewTimed(webhook, token, kv)
      expect(answer.json.status).toEqual({ authenticated: false })
      expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'deny', reason: 'rejected', source })
    }
    expect(webhook.keystoneRequests).toHaveLength(1)
  })
})

describe('everything is slow at once', () => {
  it('a review is answered within 2 × KEYSTONE_TIMEOUT_MS + 1 s, and before 10 s', async () => {
    for (const [timeoutMs, boundMs] of [
      [2000, 5000],
      [5000, 10_000],
      [10_000, 10_000],
    ] as const) {
      const clock = createClock()
      const kv = createKv(clock)
      kv.suffer('read hangs')
      const webhook = await createWebhook({
        clock,
        ...kv,
        vars: { KEYSTONE_TIMEOUT_MS: timeoutMs },
        keystone: async (request) => {
          if (request.url.endsWith('/groups')) return new Promise(() => undefined)
          clock.advance(Math.min(timeoutMs - 100, 8000))
          return healthyKeystone(request)
        },
      })
      const { answer, tookMs } = await reviewTimed(webhook, fernetShaped(), kv)
      expect(answer.json.status).toEqual({ authenticated: false, error: expect.stringContaining('Keystone') })
      expect(tookMs).toBeLessThanOrEqual(boundMs)
    }
  })
})
