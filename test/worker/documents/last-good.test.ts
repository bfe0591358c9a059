import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { settle } from '../../support/clock.ts'
import { createStage, type Isolate, type Stage, timed } from '../../support/documents-stage.ts'
import { DEMO_ID } from '../../support/keystone-answers.ts'
import { CACHE_KEY, CALLER_TOKEN, OTHER_CALLER_TOKEN, putDocument } from '../../support/webhook.ts'

const named = (username: string) => ({ username: `${username}:{user.name}` })
const user = (username: string) => [`${username}:alice`, DEMO_ID]
const UNREADABLE = 'keystone-edge-auth: the mapping document cannot be read now; see /readyz'
const OLD_KEY = btoa('o'.repeat(32))
const keys = (...newestFirst: string[]) => ({ vars: { CACHE_KEYS: JSON.stringify(newestFirst) } })
const stateOf = async (isolate: Isolate) => (await isolate.ready(CALLER_TOKEN)).json.documents.mapping
const docNames = async () => (await env.CACHE.list({ prefix: 'document/' })).keys.map(({ name }) => name)

/** A stage on which an isolate has seen the mapping and saved it. */
async function prepare(mapping: unknown, options = {}): Promise<{ stage: Stage; isolate: Isolate }> {
  const stage = await createStage()
  await putDocument('mapping', mapping)
  const isolate = await stage.isolate(options)
  await isolate.look()
  await isolate.background()
  return { stage, isolate }
}

describe('the last good version', () => {
  it.each([
    ['broken', '{"username": 1}'],
    ['deleted', undefined],
  ])('is in force in a new isolate whose document is %s', async (_what, document) => {
    const { stage } = await prepare(named('good'))
    await putDocument('mapping', document)
    stage.clock.advance(3_000_000)
    const isolate = await stage.isolate()
    expect(await isolate.look()).toEqual(user('good'))
    const state = await stateOf(isolate)
    expect(state).toMatchObject({ source: 'last-good', ageSeconds: 3_000 })
    expect(state.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each(['fails', 'hangs'] as const)(
    'is in force in a new isolate whose CONFIG %s, within half a second',
    async (fault) => {
      const { stage } = await prepare(named('good'))
      stage.config.fault = fault
      const isolate = await stage.isolate()
      const { value, tookMs } = await timed(stage.clock, isolate.look())
      expect(value).toEqual(user('good'))
      expect(tookMs).toBeLessThanOrEqual(1_000)
      stage.config.fault = 'none'
      stage.clock.advance(2_000)
      await isolate.look()
      await settle()
      expect(await stateOf(isolate)).toMatchObject({ source: 'config', faults: [] })
    },
  )

  it('is not waited for where the document is good', async () => {
    const { stage } = await prepare(named('good'))
    stage.cache.reading = 'hangs'
    const isolate = await stage.isolate()
    const { tookMs } = await timed(stage.clock, stateOf(isolate))
    // The cluster's own mapping and the callers are not there, which only CACHE can tell from "deleted".
    expect(tookMs).toBeLessThanOrEqual(1_000)
    expect(await timed(stage.clock, isolate.look())).toMatchObject({ value: user('good') })
  })

  it('cannot be read where it lies, neither by value nor by name', async () => {
    await prepare({ ...named('good'), deny: { users: ['mallory-in-the-document'] } })
    await putDocument('callers', {})
    const names = await docNames()
    expect(names).toHaveLength(1)
    for (const name of names) {
      expect(name).toMatch(/^document\/[0-9a-f]{64}$/)
      const value = (await env.CACHE.get(name)) ?? ''
      const decoded = value.split('.').map((part) => atob(part.replaceAll('-', '+').replaceAll('_', '/')))
      for (const text of [value, ...decoded]) expect(text).not.toMatch(/mallory|username|mapping|deny/)
    }
    expect((await env.CACHE.getWithMetadata(String(names[0]))).metadata).toBeNull()
  })

  it('of another document is not accepted in its place', async () => {
    const { stage } = await prepare(named('shared'))
    const [shared] = await docNames()
    await putDocument('clusters/prod-1/mapping', named('own'))
    const isolate = await stage.isolate()
    await isolate.look()
    await isolate.background()
    const [own] = (await docNames()).filter((name) => name !== shared)
    const [ofShared, ofOwn] = await Promise.all([shared, own].map((name) => env.CACHE.get(String(name))))
    await env.CACHE.put(String(own), String(ofShared))
    await env.CACHE.put(String(shared), String(ofOwn))
    await putDocument('clusters/prod-1/mapping', undefined)
    await putDocument('mapping', undefined)
    const fresh = await stage.isolate()
    for (const caller of [CALLER_TOKEN, OTHER_CALLER_TOKEN]) expect(await fresh.look({ caller })).toBe(UNREADABLE)
    expect(await stateOf(fresh)).toMatchObject({ digest: null, faults: [expect.anything(), expect.anything()] })
    // What the cluster had cannot be known: the shared one stands in unless callers says that it has its own.
    await putDocument('mapping', named('shared'))
    expect(await (await stage.isolate()).look()).toEqual(user('shared'))
    await putDocument('callers', { 'prod-1': { credentials: [], own: ['mapping'] } })
    expect(await (await stage.isolate()).look()).toBe(UNREADABLE)
  })

  it.each([
    ['garbage', 'garbage'],
    ['an unsealed document', JSON.stringify({ text: '{}', digest: 'x', savedAtMs: 0 })],
    ['an unsigned token', 'eyJhbGciOiJub25lIn0.e30.'],
    ['nothing', ''],
  ])('with %s in its place: cannot tell, never the defaults; a good document heals it', async (_what, garbage) => {
    const { stage } = await prepare(named('good'))
    const [name] = await docNames()
    await env.CACHE.put(String(name), garbage)
    for (const document of [undefined, 'broken']) {
      await putDocument('mapping', document)
      const isolate = await stage.isolate()
      expect(await isolate.look()).toBe(UNREADABLE)
      await isolate.background()
    }
    expect(await env.CACHE.get(String(name))).toBe(garbage)
    await putDocument('mapping', named('healed'))
    stage.clock.advance(2_000)
    const isolate = await stage.isolate()
    expect(await isolate.look()).toEqual(user('healed'))
    await isolate.background()
    await putDocument('mapping', undefined)
    expect(await (await stage.isolate()).look()).toEqual(user('healed'))
  })

  it('outlives a change of KEYSTONE_URL, and is none under keys that are gone', async () => {
    const { stage } = await prepare(named('good'))
    await putDocument('mapping', undefined)
    const moved = await stage.isolate({ vars: { KEYSTONE_URL: 'https://other.test/v3' } })
    expect(await moved.look()).toEqual(user('good'))
    const rekeyed = await stage.isolate({ vars: keys(OLD_KEY).vars })
    expect(await rekeyed.look()).toBe('no mapping document; put {} for the defaults')
  })
})

describe('a rotation of CACHE_KEYS', () => {
  it.each([
    ['there', named('good')],
    ['deleted', undefined],
    ['broken', 'broken'],
  ])('seals the last good version anew while the document is %s', async (_what, document) => {
    const { stage } = await prepare(named('good'), keys(OLD_KEY))
    await putDocument('mapping', document)
    const rotated = await stage.isolate(keys(CACHE_KEY, OLD_KEY))
    expect(await rotated.look()).toEqual(user('good'))
    await rotated.background()
    expect(stage.cache.puts).toHaveLength(2)
    const next = await stage.isolate(keys(CACHE_KEY, OLD_KEY))
    await next.look()
    await next.background()
    expect(stage.cache.puts).toHaveLength(2)
    await putDocument('mapping', undefined)
    expect(await (await stage.isolate(keys(CACHE_KEY))).look()).toEqual(user('good'))
  })
})

describe('what is written', () => {
  it('is written once for each edit, however many isolates and refreshes there are', async () => {
    const { stage, isolate } = await prepare(named('a'))
    const isolates = [isolate, await stage.isolate(), await stage.isolate(), await stage.isolate()]
    const refreshAll = async () => {
      stage.clock.advance(60_000)
      for (const each of isolates) {
        await each.look()
        await each.background()
      }
    }
    for (let times = 0; times < 5; times += 1) await refreshAll()
    expect(stage.cache.puts).toHaveLength(1)
    await putDocument('mapping', named('b'))
    for (let times = 0; times < 5; times += 1) await refreshAll()
    expect(stage.cache.puts).toHaveLength(2)
    await putDocument('mapping', 'broken')
    await refreshAll()
    await putDocument('mapping', undefined)
    await refreshAll()
    expect(stage.cache.puts).toHaveLength(2)
    expect(stage.cache.refused).toBe(0)
  })

  it('is tried again when the write was refused, also when the document has been broken or deleted since', async () => {
    for (const later of [named('b'), 'broken', undefined]) {
      const { stage, isolate } = await prepare(named('a'))
      stage.cache.writing = 'fails'
      await putDocument('mapping', named('b'))
      await isolate.refresh()
      expect(stage.cache.puts).toHaveLength(1)
      stage.cache.writing = 'none'
      await putDocument('mapping', later)
      await isolate.refresh()
      expect(stage.cache.puts).toHaveLength(2)
      await putDocument('mapping', undefined)
      expect(await (await stage.isolate()).look()).toEqual(user('b'))
    }
  })

  it('a 429 costs no review and is made good for', async () => {
    const stage = await createStage()
    await putDocument('mapping', named('a'))
    const isolates = await Promise.all(Array.from({ length: 5 }, () => stage.isolate()))
    expect(await Promise.all(isolates.map((isolate) => isolate.look()))).toEqual(Array(5).fill(user('a')))
    await Promise.all(isolates.map((isolate) => isolate.background()))
    // All began at once and none could know of the others: one write a second is what KV takes.
    expect(stage.cache.puts).toHaveLength(1)
    for (const isolate of isolates) await isolate.refresh()
    expect(stage.cache.puts).toHaveLength(1)
  })

  it('a write that hangs holds up nothing', async () => {
    const stage = await createStage()
    stage.cache.writing = 'hangs'
    await putDocument('mapping', named('a'))
    const isolate = await stage.isolate()
    expect(await timed(stage.clock, isolate.look())).toEqual({ value: user('a'), tookMs: 0 })
    await putDocument('mapping', named('b'))
    stage.clock.advance(60_000)
    expect(await timed(stage.clock, isolate.look())).toEqual({ value: user('b'), tookMs: 0 })
  })

  it('while CACHE cannot be read is nothing: what is there might be newer', async () => {
    const stage = await createStage()
    stage.cache.reading = 'fails'
    await putDocument('mapping', named('a'))
    const isolate = await stage.isolate()
    expect(await isolate.look()).toEqual(user('a'))
    await isolate.background()
    expect(stage.cache.puts).toEqual([])
    stage.cache.reading = 'none'
    await isolate.refresh()
    expect(stage.cache.puts).toHaveLength(1)
  })
})

describe('the last good version of isolates that see edits at different times', () => {
  it('is the newest one as soon as the isolate that is behind has seen it', async () => {
    const { stage, isolate: ahead } = await prepare(named('a'))
    let served = named('a')
    const get = async (key: string) => (key === 'mapping' ? JSON.stringify(served) : null)
    const behind = await stage.isolate({ config: { get } as unknown as Stage['config'] })
    await behind.look()
    await behind.background()
    for (const edit of ['b', 'c']) {
      await putDocument('mapping', named(edit))
      await ahead.refresh()
    }
    for (const edit of ['b', 'c']) {
      served = named(edit)
      await behind.refresh()
    }
    await putDocument('mapping', undefined)
    expect(await (await stage.isolate()).look()).toEqual(user('c'))
  })
})
