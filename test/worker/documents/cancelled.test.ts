import { describe, expect, it } from 'vitest'
import type { DocumentState } from '../../../src/documents/document-state.ts'
import { ofJson } from '../../../src/documents/document-text.ts'
import type { LastGood } from '../../../src/documents/last-good-store.ts'
import { LiveDocument } from '../../../src/documents/live-document.ts'
import { err, ok, type Result } from '../../../src/lib/result.ts'
import { createClock, settle } from '../../support/clock.ts'
import { timed } from '../../support/documents-stage.ts'

/** A document whose reads are answered by the test, or never, as those of a cancelled request. */
function prepare() {
  const clock = createClock()
  const background: Promise<unknown>[] = []
  let serve: () => Promise<string | null> = async () => '"first"'
  let last: () => Promise<Result<LastGood | undefined, 'unreadable' | 'spoilt'>> = async () => ok(undefined)
  const faulty: string[] = []
  let reads = 0
  let cancelled = false
  const document = new LiveDocument<string>(
    'mapping',
    ofJson((value) => {
      if (value === 'a bug') throw new TypeError('cannot read properties of undefined')
      return typeof value === 'string' ? ok(value) : err([{ path: 'x', message: 'expected a string' }])
    }),
    {
      config: {
        get() {
          reads += 1
          return serve()
        },
      } as never,
      lastGood: { read: () => last(), write: async () => true },
      clock: {
        now: clock.now,
        // The timers of a cancelled request do not fire.
        startTimer: (ms, callback) => (cancelled ? () => undefined : clock.startTimer(ms, callback)),
      },
      onFaults: (_key, _digest, faults) => void faulty.push(...faults.map(({ message }) => message)),
    },
  )
  const ctx = { waitUntil: (promise: Promise<unknown>) => void background.push(promise) }
  return {
    clock,
    faulty,
    background,
    async current(): Promise<DocumentState<string>> {
      await document.refresh(ctx)
      return document.state
    },
    /** Without waiting. */
    currentNow(): DocumentState<string> {
      void document.refresh(ctx)
      return document.state
    },
    serve(next: () => Promise<string | null>) {
      serve = next
    },
    remember(next: typeof last) {
      last = next
    },
    /** What begins in `work` belongs to a request that goes away. */
    cancel(work: () => unknown) {
      cancelled = true
      void work()
      cancelled = false
    },
    reads: () => reads,
  }
}

const never = () => new Promise<never>(() => undefined)

describe('a load that never ends', () => {
  it('at the start: who follows waits half a second at most, then somebody else loads', async () => {
    const { clock, current, cancel, serve, reads } = prepare()
    serve(never)
    cancel(current)
    await settle()
    serve(async () => '"good"')
    clock.advance(100)
    const followers = await timed(clock, Promise.all([current(), current(), current()]))
    expect(followers.tookMs).toBe(500)
    const notRead = [{ path: '', message: 'cannot be read from CONFIG now' }]
    expect(followers.value.map(({ value, faults }) => [value, faults])).toEqual(Array(3).fill([undefined, notRead]))
    expect(reads()).toBe(1)
    const later = await timed(clock, Promise.all([current(), current(), current()]))
    expect(later.tookMs).toBe(150)
    expect(later.value.map(({ value }) => value)).toEqual(Array(3).fill('good'))
    expect(reads()).toBe(2)
  })

  it('at the start, and the next one hangs: nobody waits for longer than half a second', async () => {
    const { clock, current, cancel, serve, remember } = prepare()
    serve(never)
    remember(never)
    cancel(current)
    for (let times = 0; times < 10; times += 1) {
      clock.advance(70)
      const { value, tookMs } = await timed(clock, current())
      expect(value).toMatchObject({ value: undefined, source: 'unreadable' })
      expect(tookMs).toBeLessThanOrEqual(500)
    }
  })

  it('in a busy isolate: the old version is served without waiting until another load has ended', async () => {
    const { clock, current, currentNow, cancel, serve, reads } = prepare()
    await current()
    serve(never)
    clock.advance(30_000)
    cancel(currentNow)
    for (let times = 0; times < 1_000; times += 1) expect(currentNow()).toMatchObject({ value: 'first' })
    expect(reads()).toBe(2)
    expect(clock.pendingTimers()).toBe(0)
    serve(async () => '"second"')
    clock.advance(2_000)
    expect(currentNow()).toMatchObject({ value: 'first' })
    await settle()
    expect(currentNow()).toMatchObject({ value: 'second' })
  })

  it('after idleness: who follows does not take the old version for news, and asks again', async () => {
    const { clock, current, cancel, serve } = prepare()
    await current()
    clock.advance(3_600_000)
    serve(never)
    cancel(current)
    serve(async () => '"second"')
    clock.advance(1)
    const follower = await timed(clock, current())
    // What was in force stays when no news can be had in time.
    expect([follower.value.value, follower.tookMs]).toEqual(['first', 500])
    expect((await timed(clock, current())).value).toMatchObject({ value: 'second', source: 'config' })
  })

  it('after idleness: those that arrive with it wait as well, instead of taking the old version for news', async () => {
    const { clock, current, serve } = prepare()
    await current()
    clock.advance(3_600_000)
    const { promise, resolve } = Promise.withResolvers<string>()
    serve(() => promise)
    const all = [current(), current()]
    await settle()
    clock.advance(100)
    all.push(current())
    resolve('"second"')
    expect((await Promise.all(all)).map(({ value }) => value)).toEqual(['second', 'second', 'second'])
  })

  it('in time and comes back late does not undo what a later one has found', async () => {
    const { clock, current, currentNow, cancel, serve } = prepare()
    await current()
    clock.advance(3_600_000)
    const { promise, resolve } = Promise.withResolvers<string>()
    serve(() => promise)
    cancel(current)
    clock.advance(1_000)
    serve(async () => '"new"')
    expect(await current()).toMatchObject({ value: 'new' })
    resolve('"old"')
    await settle()
    expect(currentNow()).toMatchObject({ value: 'new' })
  })
})

describe('a document that the code cannot handle', () => {
  it('is a fault as others are: the last good one stays in force and no review fails', async () => {
    const { clock, current, currentNow, serve, faulty, background } = prepare()
    await current()
    serve(async () => '"a bug"')
    clock.advance(30_000)
    currentNow()
    await settle()
    await Promise.all(background)
    expect(currentNow()).toMatchObject({ value: 'first', source: 'last-good' })
    expect(faulty).toEqual(['cannot be handled (a bug: please report it)'])
  })

  it('at the start leaves nothing in force', async () => {
    const { current, serve } = prepare()
    serve(async () => '"a bug"')
    expect(await current()).toMatchObject({ value: undefined, source: 'unreadable' })
  })

  it('nor does a last good one that no longer holds', async () => {
    const { current, serve, remember } = prepare()
    serve(async () => null)
    remember(async () => ok({ text: '5', digest: 'd', savedAtMs: 0 }))
    expect(await current()).toMatchObject({ value: undefined, source: 'unreadable', digest: undefined })
  })
})
