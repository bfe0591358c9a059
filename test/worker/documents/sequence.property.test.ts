import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settle } from '../../support/clock.ts'
import { createStage, type Isolate, timed } from '../../support/documents-stage.ts'
import { DEMO_ID } from '../../support/keystone-answers.ts'
import { putDocument } from '../../support/webhook.ts'

type Step =
  | { readonly do: 'edit' | 'break' | 'delete' | 'restart' }
  | { readonly do: 'config' | 'reading' | 'writing'; readonly fault: 'none' | 'fails' | 'hangs' }
  | { readonly do: 'review'; readonly afterMs: number }

const fault = fc.constantFrom('none' as const, 'none' as const, 'fails' as const, 'hangs' as const)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'edit' }) },
  { weight: 3, arbitrary: fc.constantFrom<Step[]>({ do: 'break' }, { do: 'delete' }, { do: 'restart' }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('config', 'reading', 'writing'), fault }) },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant('review'), afterMs: fc.constantFrom(1, 2_500, 31_000, 70_000) }),
  },
)

const UNREADABLE =
  /^keystone-edge-auth: the (?:mapping document|document authenticators) cannot be read now; see \/readyz$/
const NONE = 'no mapping document; put {} for the defaults'
const mappingOf = (version: number) => ({ username: `v${version}:{user.name}` })

describe('whatever administrators and KV do', () => {
  it('a mapping in force is one that was put and held, and never an older one than the isolate had', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const stage = await createStage()
      let put = 0
      let isIntact = false
      let inForce = 0
      let isolate: Isolate = await stage.isolate()
      for (const next of steps) {
        switch (next.do) {
          case 'edit':
            put += 1
            isIntact = true
            await putDocument('mapping', mappingOf(put))
            break
          case 'break':
          case 'delete':
            isIntact = false
            await putDocument('mapping', next.do === 'break' ? '{"username": 1}' : undefined)
            break
          case 'restart':
            inForce = 0
            isolate = await stage.isolate()
            break
          case 'config':
            stage.config.fault = next.fault
            break
          case 'reading':
          case 'writing':
            stage.cache[next.do] = next.fault
            break
          case 'review': {
            stage.clock.advance(next.afterMs)
            const isSaved = stage.cache.puts.length > 0
            const { value, tookMs } = await timed(stage.clock, isolate.look())
            await settle()
            // Half a second each for the callers, the mapping and the identity.
            expect(tookMs).toBeLessThanOrEqual(1_500)
            const version = versionOf(value)
            expect(version).toBeLessThanOrEqual(put)
            expect(version).toBeGreaterThanOrEqual(inForce)
            inForce = version
            if (value === NONE) expect(isSaved).toBe(false)
            if (next.afterMs < 60_000) break
            // This one waited for news: of CONFIG, and where nothing was in force of CACHE.
            if (isIntact && stage.config.fault === 'none') expect(version).toBe(put)
            if (isSaved && stage.cache.reading === 'none') expect(version).toBeGreaterThan(0)
          }
        }
      }
    })
    await fc.assert(property, { numRuns: 30 })
  }, 60_000)
})

/** Which version the answer was made by; 0 for none, which is "cannot tell". */
function versionOf(answer: unknown): number {
  if (answer === NONE || UNREADABLE.test(String(answer))) return 0
  expect(answer).toEqual([expect.stringMatching(/^v\d+:alice$/), DEMO_ID])
  return Number(/^v(\d+)/.exec(String(answer))?.[1])
}
