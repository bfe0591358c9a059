import { describe, expect, it } from 'vitest'
import { parseCallers } from '../../../src/documents/callers.ts'
import { createStage, type Isolate, timed } from '../../support/documents-stage.ts'
import { DEMO_ID } from '../../support/keystone-answers.ts'
import { CALLER_TOKEN, OTHER_CALLER_TOKEN, putDocument, sha256 } from '../../support/webhook.ts'

const ALICE = ['alice', DEMO_ID]
const NEW_CALLER = 'caller-credential-of-a-new-cluster'
const UNKNOWN = expect.stringContaining('unknown caller credential')
const credential = async (token: string) => `sha256:${await sha256(token)}`
const cluster = async (...tokens: string[]) => ({ credentials: await Promise.all(tokens.map(credential)) })
const faultsOf = async (isolate: Isolate) => {
  const { status, json } = await isolate.ready(CALLER_TOKEN)
  return [status, json.documents.callers.faults]
}

async function prepare(callers: unknown, vars: Readonly<Record<string, unknown>> = {}) {
  const stage = await createStage()
  await putDocument('mapping', {})
  await putDocument('callers', callers)
  const isolate = await stage.isolate({ vars })
  return { stage, isolate }
}

describe('the document callers', () => {
  it('adds to the secret: a new caller is let in and a removed one is out, though its header was remembered', async () => {
    const { isolate } = await prepare(undefined)
    expect(await isolate.look({ caller: NEW_CALLER })).toEqual(UNKNOWN)
    await isolate.background()
    await putDocument('callers', { 'prod-3': await cluster(NEW_CALLER) })
    await isolate.refresh()
    for (let times = 0; times < 3; times += 1) expect(await isolate.look({ caller: NEW_CALLER })).toEqual(ALICE)
    expect(isolate.reviews().at(-1)).toMatchObject({ cluster: 'prod-3' })
    expect(await isolate.look()).toEqual(ALICE)
    await putDocument('callers', {})
    await isolate.refresh()
    const { status, json } = await isolate.review('x', { caller: NEW_CALLER })
    expect([status, json.reason]).toEqual([401, 'Unauthorized'])
    expect(await isolate.look()).toEqual(ALICE)
  })

  it('a removed caller is out at the first review after a quiet minute', async () => {
    const { stage, isolate } = await prepare({ 'prod-3': await cluster(NEW_CALLER) })
    expect(await isolate.look({ caller: NEW_CALLER })).toEqual(ALICE)
    await putDocument('callers', {})
    stage.clock.advance(60_000)
    expect(await isolate.look({ caller: NEW_CALLER })).toEqual(UNKNOWN)
  })

  it('a credential that moves to another cluster speaks for that one from then on', async () => {
    const { isolate } = await prepare({ 'prod-3': await cluster(NEW_CALLER) })
    await isolate.look({ caller: NEW_CALLER })
    await putDocument('callers', { 'prod-4': await cluster(NEW_CALLER) })
    await isolate.refresh()
    await isolate.look({ caller: NEW_CALLER })
    expect(isolate.reviews().at(-1)).toMatchObject({ cluster: 'prod-4' })
    expect((await isolate.review('x', { caller: NEW_CALLER, path: '/clusters/prod-3/webhook' })).status).toBe(403)
  })

  it('that lists a credential for two clusters is a fault, and the last good one stays', async () => {
    const { stage, isolate } = await prepare({ 'prod-3': await cluster(NEW_CALLER) })
    await isolate.look()
    await isolate.background()
    const twice: [unknown, string][] = [
      [{ 'prod-3': await cluster('a', NEW_CALLER), 'prod-4': await cluster(NEW_CALLER) }, 'prod-4.credentials[0]'],
      [{ 'prod-4': await cluster('b', CALLER_TOKEN) }, 'prod-4.credentials[1]'],
    ]
    for (const [document, path] of twice) {
      await putDocument('callers', document)
      await isolate.refresh()
      for (const each of [isolate, await stage.isolate()]) {
        expect(await each.look({ caller: NEW_CALLER })).toEqual(ALICE)
        expect(each.reviews().at(-1)).toMatchObject({ cluster: 'prod-3' })
        expect(await each.look({ caller: 'a' })).toEqual(UNKNOWN)
        expect(await faultsOf(each)).toMatchObject([503, [{ path, message: expect.stringMatching(/as well$/) }]])
      }
    }
  })

  it('may repeat what the secret says', async () => {
    const { isolate } = await prepare({ 'prod-1': await cluster(CALLER_TOKEN, NEW_CALLER) })
    for (const caller of [CALLER_TOKEN, NEW_CALLER]) {
      expect(await isolate.look({ caller })).toEqual(ALICE)
      expect(isolate.reviews().at(-1)).toMatchObject({ cluster: 'prod-1' })
    }
    expect(await faultsOf(isolate)).toEqual([200, []])
  })

  it.each([
    ['no JSON', 'broken'],
    ['a list', '[]'],
    ['a credential in clear', '{"prod-3": {"credentials": ["the-secret-itself"]}}'],
  ])("that is %s and never was good: the secret's callers still work", async (_what, document) => {
    const { isolate } = await prepare(document)
    for (const caller of [CALLER_TOKEN, OTHER_CALLER_TOKEN]) expect(await isolate.look({ caller })).toEqual(ALICE)
    const { status, text } = await isolate.ready(CALLER_TOKEN)
    expect(status).toBe(503)
    expect(text + JSON.stringify(isolate.log)).not.toContain('the-secret-itself')
  })

  it.each(['fails', 'hangs'] as const)(
    "that CONFIG (it %s) does not give: the secret's callers still work",
    async (fault) => {
      const { stage, isolate } = await prepare({ 'prod-3': await cluster(NEW_CALLER) })
      stage.config.fault = fault
      stage.cache.reading = fault
      const { value } = await timed(stage.clock, isolate.review('garbage'))
      // Nothing says whether there are static tokens, so not even garbage is a definite no.
      expect([value.status, value.json.status.authenticated]).toEqual([200, false])
      expect((await timed(stage.clock, isolate.review('garbage', { caller: NEW_CALLER }))).value.status).toBe(401)
    },
  )

  it('works without any secret, and in a new isolate of which CONFIG is broken', async () => {
    const { stage, isolate } = await prepare({ 'prod-3': await cluster(NEW_CALLER) }, { CALLERS: '' })
    expect(await isolate.look({ caller: NEW_CALLER })).toEqual(ALICE)
    await isolate.background()
    await putDocument('callers', 'broken')
    const fresh = await stage.isolate({ vars: { CALLERS: '' } })
    expect(await fresh.look({ caller: NEW_CALLER })).toEqual(ALICE)
    expect(await fresh.look({ caller: CALLER_TOKEN })).toEqual(UNKNOWN)
  })

  it('of 500 clusters with two credentials each works, and costs a review nothing', async () => {
    const entries = Array.from({ length: 500 }, async (_, index) => {
      return [`cluster-${index}`, await cluster(`first-${index}`, `second-${index}`)] as const
    })
    const { stage, isolate } = await prepare(Object.fromEntries(await Promise.all(entries)))
    for (let index = 0; index < 500; index += 1) {
      for (const caller of [`first-${index}`, `second-${index}`]) {
        expect(await isolate.look({ caller })).toEqual(ALICE)
        expect(isolate.reviews().at(-1)).toMatchObject({ cluster: `cluster-${index}` })
      }
    }
    stage.config.reads.length = 0
    for (let index = 0; index < 500; index += 1) await isolate.look({ caller: `second-${index}` })
    expect(stage.config.reads).toEqual([])
  })
})

describe('a callers document', () => {
  const hex = 'a'.repeat(64)
  const faults = (document: unknown) => {
    const parsed = parseCallers(document)
    return parsed.ok ? [] : parsed.error.map(({ path }) => path)
  }

  it.each(['a', '0', 'prod-1', 'a.b', 'a--b', 'x'.repeat(63)])('takes the cluster name %s', (name) => {
    expect(faults({ [name]: { credentials: [`sha256:${hex}`] } })).toEqual([])
  })

  it.each([
    '',
    '-a',
    'a-',
    '.a',
    'a.',
    'A',
    'a_b',
    'a/b',
    'a b',
    'ä',
    'a\n',
    'x'.repeat(64),
    'constructor',
    'prototype',
    'toString',
  ])('refuses the cluster name %j, and does not pass over it', (name) => {
    expect(faults({ [name]: { credentials: [`sha256:${hex}`] } })).toEqual([name])
  })

  it('names every fault', () => {
    const good = { credentials: [`sha256:${hex}`] }
    expect(faults({ $schema: 'callers.schema.json', 'prod-1': good })).toEqual([])
    expect(faults({ $schema: 1, 'prod-1': good })).toEqual(['$schema'])
    for (const wrong of [
      'sha256:x',
      hex,
      `sha256:${hex.toUpperCase()}`,
      `SHA256:${hex}`,
      `md5:${hex}`,
      ` cert:${hex}`,
      1,
    ]) {
      expect(faults({ a: { credentials: [`cert:${hex}`, wrong] } })).toEqual(['a.credentials[1]'])
    }
    expect(faults({ a: { credentials: [], own: ['mapping', 'policy'] } })).toEqual([])
    expect(faults({ a: { credentials: [], own: ['callers'] }, b: {}, c: { ...good, more: 1 }, d: null })).toEqual([
      'a.own[0]',
      'b.credentials',
      'c.more',
      'd',
    ])
    for (const document of [null, [], '', 1, true]) expect(faults(document)).toEqual([''])
  })
})
