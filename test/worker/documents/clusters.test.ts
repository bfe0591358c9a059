import { describe, expect, it } from 'vitest'
import { settle } from '../../support/clock.ts'
import { createStage, type Isolate, type Stage, timed } from '../../support/documents-stage.ts'
import { DEMO_ID } from '../../support/keystone-answers.ts'
import { CALLER_TOKEN, OTHER_CALLER_TOKEN, putDocument, sha256 } from '../../support/webhook.ts'

const named = (username: string) => ({ username: `${username}:{user.name}` })
const user = (username: string) => [`${username}:alice`, DEMO_ID]
const UNREADABLE = 'keystone-edge-auth: the mapping document cannot be read now; see /readyz'
const OWN = 'clusters/prod-1/mapping'
const inProd1 = (isolate: Isolate) => isolate.look()
const inProd2 = (isolate: Isolate) => isolate.look({ caller: OTHER_CALLER_TOKEN })

async function prepare(documents: Readonly<Record<string, unknown>>): Promise<Stage & { first: Isolate }> {
  const stage = await createStage()
  for (const [key, document] of Object.entries({ mapping: named('shared'), ...documents })) {
    await putDocument(key, document)
  }
  const first = await stage.isolate()
  await inProd1(first)
  await first.background()
  return { ...stage, first }
}

const ownMapping = async () => ({
  'prod-1': { credentials: [`sha256:${await sha256(CALLER_TOKEN)}`], own: ['mapping'] },
})

describe("a cluster's own mapping", () => {
  it('replaces the shared one for that cluster only, as a whole', async () => {
    const { first } = await prepare({ [OWN]: named('own') })
    expect(await inProd1(first)).toEqual(user('own'))
    expect(await inProd2(first)).toEqual(user('shared'))
    await putDocument('mapping', named('edited'))
    await first.refresh()
    await inProd2(first)
    await first.background()
    expect(await inProd1(first)).toEqual(user('own'))
    expect(await inProd2(first)).toEqual(user('edited'))
  })

  it('gives way to the shared one when its text is "shared", also after that was deleted', async () => {
    const { first, isolate } = await prepare({ [OWN]: named('own') })
    expect(await inProd1(first)).toEqual(user('own'))
    await putDocument(OWN, undefined)
    await first.refresh()
    expect(await inProd1(first)).toEqual(user('own'))
    await putDocument(OWN, '"shared"\n')
    await first.refresh()
    expect(await inProd1(first)).toEqual(user('shared'))
    const { status, json } = await first.ready(CALLER_TOKEN)
    expect([status, json.documents.mapping.digest]).toEqual([200, await sha256(JSON.stringify(named('shared')))])
    await first.background()
    await putDocument(OWN, undefined)
    expect(await inProd1(await isolate())).toEqual(user('shared'))
    await putDocument(OWN, named('own again'))
    expect(await inProd1(await isolate())).toEqual(user('own again'))
  })

  it('that is large decides for its cluster, beside a large one of another', async () => {
    const rules = Array.from({ length: 2_000 }, (_, index) => ({ role: `r${index}`, groups: ['g'] }))
    const stage = await prepare({})
    for (const cluster of ['prod-1', 'prod-2']) {
      await putDocument(`clusters/${cluster}/mapping`, { ...named(cluster), rules })
    }
    await stage.first.refresh()
    for (let times = 0; times < 3; times += 1) {
      expect(await inProd1(stage.first)).toEqual(user('prod-1'))
      stage.clock.advance(60_000)
      expect(await inProd2(stage.first)).toEqual(user('prod-2'))
    }
  })

  it('comes into force when it is put, and its state is what /readyz shows', async () => {
    const { first } = await prepare({})
    expect(await inProd1(first)).toEqual(user('shared'))
    await putDocument(OWN, named('own'))
    await first.refresh()
    expect(await inProd1(first)).toEqual(user('own'))
    const [own, shared] = [await first.ready(CALLER_TOKEN), await first.ready(OTHER_CALLER_TOKEN)]
    expect(own.json.documents.mapping.digest).toBe(await sha256(JSON.stringify(named('own'))))
    expect(shared.json.documents.mapping.digest).toBe(await sha256(JSON.stringify(named('shared'))))
  })

  it('that is broken and never was good: cannot tell for that cluster, the shared one does not stand in', async () => {
    const { first } = await prepare({ [OWN]: '{"allow": 1}' })
    expect(await inProd1(first)).toBe(UNREADABLE)
    expect(await inProd2(first)).toEqual(user('shared'))
    const { status, json } = await first.ready(CALLER_TOKEN)
    expect([status, json.documents.mapping.source]).toEqual([503, 'unreadable'])
    expect(json.documents.mapping.faults[0].path).toBe('allow')
    expect((await first.ready(OTHER_CALLER_TOKEN)).status).toBe(200)
  })

  it.each([
    ['deleted', undefined],
    ['broken', 'broken'],
  ])('that is %s: its last good version, in a new isolate too', async (_what, document) => {
    const { first, isolate } = await prepare({ [OWN]: named('own') })
    await putDocument(OWN, document)
    await first.refresh()
    for (const each of [first, await isolate()]) {
      expect(await inProd1(each)).toEqual(user('own'))
      expect(await inProd2(each)).toEqual(user('shared'))
      expect((await each.ready(CALLER_TOKEN)).status).toBe(503)
    }
  })

  it('that callers says it has, and is not there: cannot tell until it is', async () => {
    const { first } = await prepare({ callers: await ownMapping() })
    expect(await inProd1(first)).toBe(UNREADABLE)
    expect(await inProd2(first)).toEqual(user('shared'))
    const { status, json } = await first.ready(CALLER_TOKEN)
    expect([status, json.documents.mapping]).toMatchObject([
      503,
      { source: 'unreadable', faults: [{ message: expect.stringContaining('has its own') }] },
    ])
    await putDocument(OWN, named('own'))
    await first.refresh()
    expect(await inProd1(first)).toEqual(user('own'))
  })

  it('that callers begins to say it has stops the shared one from standing in', async () => {
    const { first } = await prepare({})
    expect(await inProd1(first)).toEqual(user('shared'))
    await putDocument('callers', await ownMapping())
    await first.refresh()
    expect(await inProd1(first)).toBe(UNREADABLE)
  })

  it.each(['fails', 'hangs'] as const)('of which CACHE (it %s) cannot say whether it ever was', async (fault) => {
    for (const own of [false, true]) {
      const { isolate, clock, cache } = await prepare({ callers: own ? await ownMapping() : {} })
      cache.reading = fault
      const fresh = await isolate()
      const { value } = await timed(clock, inProd1(fresh))
      expect(value).toEqual(own ? UNREADABLE : user('shared'))
      const { value: ready } = await timed(clock, fresh.ready(CALLER_TOKEN))
      expect([ready.status, ready.json.documents.mapping.faults.length]).toEqual([503, 1])
      cache.reading = 'none'
      clock.advance(2_000)
      await fresh.ready(CALLER_TOKEN)
      await settle()
      expect((await fresh.ready(CALLER_TOKEN)).status).toBe(own ? 503 : 200)
    }
  })

  it.each(['fails', 'hangs'] as const)('that a new isolate cannot read as CONFIG %s', async (fault) => {
    for (const own of [false, true]) {
      const { isolate, clock, config } = await prepare({ callers: own ? await ownMapping() : {} })
      config.fault = fault
      // CACHE knows of none: the last good shared one goes on, unless callers says that the cluster has its own.
      const { value } = await timed(clock, inProd1(await isolate()))
      expect(value).toEqual(own ? UNREADABLE : user('shared'))
    }
  })

  it('of which nothing is certain, nor whether callers says that it has one: cannot tell', async () => {
    const { isolate, cache } = await prepare({ callers: 'broken' })
    cache.reading = 'fails'
    expect(await inProd1(await isolate())).toMatch(/the document authenticators cannot be read now/)
    cache.reading = 'none'
    expect(await inProd1(await isolate())).toEqual(user('shared'))
  })

  it('that was broken when it could last be read: cannot tell, also while CONFIG fails', async () => {
    const { first, clock, config } = await prepare({ [OWN]: 'broken' })
    config.fault = 'fails'
    for (let minutes = 0; minutes < 3; minutes += 1) {
      expect(await inProd1(first)).toBe(UNREADABLE)
      clock.advance(60_000)
    }
  })

  it.each(['fails', 'hangs'] as const)('that was not there goes on not being there while CONFIG %s', async (fault) => {
    const { first, clock, config } = await prepare({})
    config.fault = fault
    for (let minutes = 0; minutes < 3; minutes += 1) {
      clock.advance(60_000)
      expect((await timed(clock, inProd1(first))).value).toEqual(user('shared'))
      await settle()
    }
    expect((await timed(clock, first.ready(CALLER_TOKEN))).value.status).toBe(503)
  })

  it('that another isolate has seen between two refreshes of this one is found when it was deleted', async () => {
    const { first, isolate } = await prepare({})
    await putDocument(OWN, named('own'))
    const other = await isolate()
    await other.look()
    await other.background()
    await putDocument(OWN, undefined)
    await first.refresh()
    expect(await inProd1(first)).toEqual(user('own'))
  })
})
