import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLookUpGate, type LookUpKind } from '../../../../src/keystone/limits/look-up-gate.ts'
import { createClock } from '../../../support/clock.ts'

type Step =
  | { readonly do: 'enter'; readonly kind: LookUpKind; readonly waitMs: number }
  /** Whoever is inside and has this number, modulo how many are. */
  | { readonly do: 'leave' | 'vanish'; readonly index: number }
  | { readonly do: 'advance'; readonly ms: number }

const LEASE_MS = 8_000
const kind = fc.constantFrom<LookUpKind[]>('known', 'new')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('enter' as const), kind, waitMs: fc.constantFrom(0, 1, 500, 2_000, 9_000) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'vanish' as const), index: fc.nat(8) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 500, 2_000) }) },
)

interface Guest {
  readonly kind: LookUpKind
  readonly untilMs: number
  readonly leave: () => void
}

it('whoever comes, leaves, vanishes or is late: no limit is passed and no place is lost', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const clock = createClock()
    const gate = createLookUpGate(clock)
    const inside = new Set<Guest>()
    let unanswered = 0
    const enter = (of: LookUpKind, waitMs: number): void => {
      unanswered += 1
      void gate.enter(of, waitMs, LEASE_MS).then((leave) => {
        unanswered -= 1
        if (leave !== undefined) inside.add({ kind: of, untilMs: clock.now() + LEASE_MS, leave })
      })
    }
    const expectLimits = (): void => {
      const now = [...inside].filter(({ untilMs }) => clock.now() < untilMs)
      expect(now.length).toBeLessThanOrEqual(4)
      expect(now.filter((guest) => guest.kind === 'new').length).toBeLessThanOrEqual(2)
    }
    for (const next of steps) {
      const guest = 'index' in next ? [...inside][next.index % inside.size] : undefined
      if (next.do === 'enter') enter(next.kind, next.waitMs)
      if (next.do === 'advance') clock.advance(next.ms)
      if (next.do === 'leave') guest?.leave()
      if (next.do === 'leave' && guest !== undefined) inside.delete(guest)
      // Now and then the next step comes in the same turn.
      if ((next.do === 'advance' ? next.ms : 1) % 2 === 1) await turn()
      expectLimits()
    }
    // All leave or lapse, all who wait are answered: then the gate is as new.
    for (let times = 0; times < 100 && unanswered > 0; times += 1) {
      clock.advance(500)
      await turn()
      expectLimits()
    }
    expect([unanswered, clock.pendingTimers()]).toEqual([0, 0])
    clock.advance(LEASE_MS)
    inside.clear()
    for (const of of ['new', 'new', 'new', 'known', 'known', 'known'] as const) enter(of, 1)
    await turn()
    expect([...inside].map((guest) => guest.kind)).toEqual(['new', 'new', 'known', 'known'])
  })
  await fc.assert(property, { numRuns: 300 })
})

/** The gate waits for nothing but timers and promises. */
async function turn(): Promise<void> {
  for (let times = 0; times < 20; times += 1) await Promise.resolve()
}
