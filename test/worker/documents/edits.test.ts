import { describe, expect, it } from 'vitest'
import { settle } from '../../support/clock.ts'
import { createStage, type Isolate, timed } from '../../support/documents-stage.ts'
import { ALICE_ID, DEMO_ID } from '../../support/keystone-answers.ts'
import { CALLER_TOKEN, putDocument } from '../../support/webhook.ts'

const ALICE = ['alice', DEMO_ID]
const named = (username: string) => ({ username: `${username}:{user.name}` })
const faultsOf = async (isolate: Isolate) => {
  const { status, json } = await isolate.ready(CALLER_TOKEN)
  return [status, json.documents.mapping.faults]
}
const reported = (isolate: Isolate) => isolate.log.filter(({ code }) => code === 'document_faulty')

async function prepare(mapping: unknown) {
  const stage = await createStage()
  await putDocument('mapping', mapping)
  const isolate = await stage.isolate()
  const first = await isolate.look()
  await isolate.background()
  return { ...stage, another: stage.isolate, isolate, first }
}

describe('an edit of the mapping', () => {
  it('is in force for a cached token after 30 s and one refresh behind an answer', async () => {
    const { isolate, clock, first } = await prepare({})
    expect(first).toEqual(ALICE)
    await putDocument('mapping', named('new'))
    clock.advance(29_999)
    expect(await isolate.look()).toEqual(ALICE)
    await isolate.background()
    expect(await isolate.look()).toEqual(ALICE)
    clock.advance(1)
    expect(await isolate.look()).toEqual(ALICE)
    await isolate.background()
    expect(await isolate.look()).toEqual(['new:alice', DEMO_ID])
    expect(isolate.keystoneRequests).toHaveLength(2)
  })

  it('is seen by the first review after a quiet minute, and by all that arrive with it', async () => {
    const { isolate, clock } = await prepare({})
    await putDocument('mapping', named('new'))
    clock.advance(60_000)
    const burst = await Promise.all(Array.from({ length: 20 }, () => isolate.look()))
    expect(burst).toEqual(Array(20).fill(['new:alice', DEMO_ID]))
    expect(isolate.keystoneRequests).toHaveLength(2)
  })

  it('puts a denied user out although the identity is cached, and lets it in again', async () => {
    const { isolate } = await prepare({})
    await putDocument('mapping', { deny: { users: [ALICE_ID] } })
    await isolate.refresh()
    expect(await isolate.look()).toBe(false)
    expect(isolate.reviews().at(-1)).toMatchObject({ decision: 'deny', reason: 'denied', source: 'memory' })
    await putDocument('mapping', {})
    await isolate.refresh()
    expect(await isolate.look()).toEqual(ALICE)
    expect(isolate.keystoneRequests).toHaveLength(2)
  })

  it('reaches every isolate, and an answer that was made by the old one is not given again', async () => {
    const { isolate, clock, another } = await prepare({})
    const other = await another()
    await other.look()
    await putDocument('mapping', named('b'))
    clock.advance(30_000)
    for (const each of [isolate, other]) {
      await each.look()
      await each.background()
      expect(await each.look()).toEqual(['b:alice', DEMO_ID])
    }
    await putDocument('mapping', {})
    clock.advance(60_000)
    expect(await isolate.look()).toEqual(ALICE)
    expect(await other.look()).toEqual(ALICE)
  })
})

describe('a refresh', () => {
  it.each(['hangs', 'fails'] as const)('of a busy isolate holds up no review while CONFIG %s', async (fault) => {
    const { isolate, clock, config } = await prepare({})
    config.reads.length = 0
    config.fault = fault
    for (let seconds = 0; seconds < 100; seconds += 1) {
      const { value, tookMs } = await timed(clock, isolate.look())
      expect([value, tookMs]).toEqual([ALICE, 0])
      await settle()
      clock.advance(1_000)
    }
    // Read again now and then, not by every review; and no timer is left over.
    expect(config.reads.filter((key) => key === 'mapping').length).toBeLessThanOrEqual(35)
    expect(clock.pendingTimers()).toBe(0)
    config.fault = 'none'
    await putDocument('mapping', named('new'))
    clock.advance(2_000)
    await isolate.look()
    await settle()
    expect(await isolate.look()).toEqual(['new:alice', DEMO_ID])
  })

  it('reads each document once in 30 s, however many reviews there are', async () => {
    const { isolate, clock, config } = await prepare({})
    config.reads.length = 0
    for (let seconds = 0; seconds < 60; seconds += 1) {
      clock.advance(1_000)
      await Promise.all(Array.from({ length: 20 }, () => isolate.look()))
      await isolate.background()
    }
    expect(config.reads.toSorted()).toEqual(
      ['authenticators', 'callers', 'clusters/prod-1/authenticators', 'clusters/prod-1/mapping', 'mapping'].flatMap(
        (key) => [key, key],
      ),
    )
  })

  it('after idleness is waited for half a second for the callers and as long for the mapping, no longer', async () => {
    const { isolate, clock, config } = await prepare({})
    clock.advance(100_000)
    config.fault = 'hangs'
    const { value, tookMs } = await timed(clock, isolate.look())
    expect(value).toEqual(ALICE)
    expect(tookMs).toBeLessThanOrEqual(1_000)
    expect(await timed(clock, isolate.look())).toEqual({ value: ALICE, tookMs: 0 })
  })
})

const BROKEN: readonly [string, string, string][] = [
  ['text that is no JSON', '{"username": "secret-content"', ''],
  ['an unknown key', '{"rules": [{"roles": "secret-content", "groups": []}]}', 'rules[0].roles'],
  ['a wrong type', '{"deny": {"users": "secret-content"}}', 'deny.users'],
  ['a key that is there twice', '{"deny": {"users": ["secret-content"]}, "deny": {}}', 'deny'],
  ['__proto__', '{"__proto__": {"allow": "secret-content"}}', '__proto__'],
  ['a list', '["secret-content"]', ''],
  ['nothing', '', ''],
  ['null', 'null', ''],
  ['nesting without end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, ''],
  ['5 MiB', `{"username": "${'secret-content'.repeat(400_000)}"}`, ''],
]

describe('a broken edit', () => {
  it.each(BROKEN)('%s: changes nothing, is reported once, and reverting clears it', async (_what, text, path) => {
    const { isolate } = await prepare(named('good'))
    await putDocument('mapping', text)
    for (let times = 0; times < 4; times += 1) await isolate.refresh()
    expect(await isolate.look()).toEqual(['good:alice', DEMO_ID])
    const [status, faults] = await faultsOf(isolate)
    expect([status, faults[0]]).toEqual([503, { path, message: expect.any(String) }])
    expect(reported(isolate)).toEqual([
      { event: 'error', code: 'document_faulty', document: 'mapping', digest: expect.any(String), faults, repeats: 0 },
    ])
    expect(JSON.stringify(isolate.log)).not.toContain('secret-content')
    await putDocument('mapping', named('good'))
    await isolate.refresh()
    expect(await faultsOf(isolate)).toEqual([200, []])
  })

  it('whose examples do not hold says what was expected and what came', async () => {
    const { isolate } = await prepare(named('good'))
    await putDocument('mapping', { examples: [{ user: 'alice', username: 'bob' }] })
    await isolate.refresh()
    const fault = { path: 'examples[0].username', message: 'expected bob, got alice' }
    expect(await faultsOf(isolate)).toEqual([503, [fault]])
    expect(await isolate.look()).toEqual(['good:alice', DEMO_ID])
  })

  it('is reported again only when it is another one', async () => {
    const { isolate } = await prepare({})
    for (const text of ['one', 'two', 'one', undefined, 'two', '{}', 'one']) {
      await putDocument('mapping', text)
      await isolate.refresh()
    }
    expect(reported(isolate)).toHaveLength(2)
  })

  it('with half a million faults fits into a log line and an answer', async () => {
    const { isolate } = await prepare({})
    await putDocument('mapping', { rules: Array(500_000).fill(1) })
    await isolate.refresh()
    const { text, json } = await isolate.ready(CALLER_TOKEN)
    expect(text.length).toBeLessThan(100_000)
    expect(json.documents.mapping.faults.at(-1)).toEqual({ path: '', message: expect.stringMatching(/^and \d+ more$/) })
    expect(JSON.stringify(reported(isolate)).length).toBeLessThan(100_000)
    expect(await isolate.look()).toEqual(ALICE)
  })

  it('followed by a good one goes straight there', async () => {
    const { isolate } = await prepare(named('one'))
    await putDocument('mapping', 'broken')
    await isolate.refresh()
    await putDocument('mapping', named('two'))
    await isolate.refresh()
    expect(await isolate.look()).toEqual(['two:alice', DEMO_ID])
    expect(await faultsOf(isolate)).toEqual([200, []])
  })
})

describe('a deletion', () => {
  it('changes nothing and shows in /readyz, in a new isolate too, until {} empties it', async () => {
    const { isolate, another } = await prepare(named('good'))
    await putDocument('mapping', undefined)
    await isolate.refresh()
    const fresh = await another()
    const deleted = [{ path: '', message: 'was deleted, which is no edit; put {} to empty it' }]
    for (const each of [isolate, fresh]) {
      expect(await each.look()).toEqual(['good:alice', DEMO_ID])
      expect(await faultsOf(each)).toEqual([503, deleted])
    }
    await putDocument('mapping', {})
    for (const each of [isolate, fresh]) {
      await each.refresh()
      expect(await each.look()).toEqual(ALICE)
      expect(await faultsOf(each)).toEqual([200, []])
    }
  })
})

describe('no mapping', () => {
  const NONE = 'no mapping document; put {} for the defaults'

  it('and no last good one: every token of Keystone cannot be told, with what to do; garbage is a definite no', async () => {
    const { isolate, first } = await prepare(undefined)
    expect(first).toBe(NONE)
    expect(isolate.keystoneRequests).toHaveLength(0)
    const garbage = await isolate.review('garbage')
    expect([garbage.status, garbage.json.status]).toEqual([200, { authenticated: false }])
    expect(await faultsOf(isolate)).toEqual([503, [{ path: '', message: NONE }]])
    await putDocument('mapping', {})
    await isolate.refresh()
    expect(await isolate.look()).toEqual(ALICE)
  })

  it.each(['fails', 'hangs'] as const)(
    'where whether there is one %s: cannot tell, and no such advice',
    async (fault) => {
      for (const broken of ['config', 'cache', 'both'] as const) {
        const stage = await createStage()
        if (broken !== 'cache') stage.config.fault = fault
        if (broken !== 'config') stage.cache.reading = fault
        const isolate = await stage.isolate()
        const { value, tookMs } = await timed(stage.clock, isolate.look())
        const document = broken === 'both' ? 'document authenticators' : 'mapping document'
        expect(value).toBe(`keystone-edge-auth: the ${document} cannot be read now; see /readyz`)
        expect(tookMs).toBeLessThanOrEqual(1_000)
        const garbage = await timed(stage.clock, isolate.review('garbage'))
        // It may be a static token where nothing says whether there are any.
        expect(garbage.value.json.status.error === undefined).toBe(broken !== 'both')
        // It is tried again soon, behind an answer, and not after half a minute only.
        stage.config.fault = 'none'
        stage.cache.reading = 'none'
        await putDocument('mapping', {})
        stage.clock.advance(2_000)
        await isolate.look()
        await settle()
        expect(await isolate.look()).toEqual(ALICE)
      }
    },
  )
})
