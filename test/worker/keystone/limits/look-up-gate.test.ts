import { describe, expect, it } from 'vitest'
import { createLookUpGate, type LookUpKind } from '../../../../src/keystone/limits/look-up-gate.ts'
import { createClock, settle } from '../../../support/clock.ts'

const WAIT_MS = 2_000
const LEASE_MS = 8_000

/** Someone at the gate. */
interface Visitor {
  readonly kind: LookUpKind
  state: 'waiting' | 'inside' | 'turned away'
  leave(): void
}

function prepare() {
  const clock = createClock()
  const gate = createLookUpGate({ now: clock.now, startTimer: clock.startTimer })
  /** Everyone who came, in order. */
  const visitors: Visitor[] = []
  const come = (kind: LookUpKind, waitMs = WAIT_MS, user?: string): Visitor => {
    const visitor: Visitor = { kind, state: 'waiting', leave: () => undefined }
    visitors.push(visitor)
    void gate.enter(kind, waitMs, LEASE_MS, user).then((leave) => {
      visitor.state = leave === undefined ? 'turned away' : 'inside'
      visitor.leave = () => leave?.()
    })
    return visitor
  }
  const comeMany = (kind: LookUpKind, times: number): Visitor[] => Array.from({ length: times }, () => come(kind))
  return { clock, visitors, come, comeMany }
}

const states = (visitors: readonly Visitor[]): string[] => visitors.map(({ state }) => state)

describe('places', () => {
  it('are four', async () => {
    const { comeMany } = prepare()
    const known = comeMany('known', 6)
    await settle()
    expect(states(known)).toEqual(['inside', 'inside', 'inside', 'inside', 'waiting', 'waiting'])
  })

  it('are two for new tokens, so that known users find two in any flood', async () => {
    const { comeMany } = prepare()
    const flood = comeMany('new', 50)
    await settle()
    expect(states(flood).filter((state) => state === 'inside')).toHaveLength(2)
    const users = comeMany('known', 2)
    await settle()
    expect(states(users)).toEqual(['inside', 'inside'])
  })

  it('are given in the order of coming', async () => {
    const { comeMany } = prepare()
    const [first, , , , fifth, sixth] = comeMany('known', 6)
    await settle()
    first?.leave()
    await settle()
    expect([fifth?.state, sixth?.state]).toEqual(['inside', 'waiting'])
  })

  it('go to known users first', async () => {
    const { come, comeMany } = prepare()
    const inside = [...comeMany('new', 2), ...comeMany('known', 2)]
    await settle()
    const stranger = come('new')
    const user = come('known')
    await settle()
    inside[0]?.leave()
    await settle()
    expect([stranger.state, user.state]).toEqual(['waiting', 'inside'])
    inside[1]?.leave()
    await settle()
    expect(stranger.state).toBe('inside')
  })

  it('that a known user leaves do not let a third new token in', async () => {
    const { come, comeMany } = prepare()
    comeMany('new', 2)
    const user = come('known')
    const stranger = come('new')
    await settle()
    user.leave()
    await settle()
    expect(stranger.state).toBe('waiting')
  })

  it('are given back once, however often it is said', async () => {
    const { comeMany } = prepare()
    const [first, ...more] = comeMany('known', 7)
    await settle()
    for (let times = 0; times < 3; times += 1) first?.leave()
    await settle()
    expect(states(more)).toEqual(['inside', 'inside', 'inside', 'inside', 'waiting', 'waiting'])
  })

  it('are free again after the lease of a request that was cancelled', async () => {
    const { clock, come, comeMany } = prepare()
    const cancelled = comeMany('known', 4)
    await settle()
    clock.advance(LEASE_MS - 2)
    const early = come('known', 1)
    await settle()
    clock.advance(1)
    await settle()
    clock.advance(1)
    const late = come('known')
    await settle()
    expect([early.state, late.state]).toEqual(['turned away', 'inside'])
    // Whoever was taken for gone and comes back takes nobody's place away.
    for (const visitor of cancelled) visitor.leave()
    const next = comeMany('known', 4)
    await settle()
    expect(states(next)).toEqual(['inside', 'inside', 'inside', 'waiting'])
  })

  it('of a lapsed lease go to those who wait before those who come', async () => {
    const { clock, come, comeMany } = prepare()
    comeMany('known', 4)
    await settle()
    clock.advance(LEASE_MS - 1_000)
    const first = come('known')
    await settle()
    clock.advance(1_000)
    const second = come('known')
    await settle()
    expect([first.state, second.state]).toEqual(['inside', 'inside'])
  })
})

describe('known tokens of one user', () => {
  it('have one place and 64 in the queue', async () => {
    const { come } = prepare()
    const own = Array.from({ length: 66 }, () => come('known', WAIT_MS, 'mallory'))
    await settle()
    expect(states(own)).toEqual(['inside', ...Array(64).fill('waiting'), 'turned away'])
  })

  it('get others when they have waited in vain, but never the last one', async () => {
    const { clock, come } = prepare()
    const own = Array.from({ length: 5 }, () => come('known', WAIT_MS, 'mallory'))
    await settle()
    clock.advance(WAIT_MS)
    await settle()
    expect(states(own)).toEqual(['inside', 'inside', 'inside', 'turned away', 'turned away'])
    const other = come('known', WAIT_MS, 'alice')
    await settle()
    expect(other.state).toBe('inside')
  })

  it('take turns with those of others, however many users come back at once', async () => {
    const { come } = prepare()
    const users = Array.from({ length: 8 }, (_, index) => `mallory-${index}`)
    const own = users.flatMap((user) => Array.from({ length: 64 }, () => come('known', WAIT_MS, user)))
    const other = come('known', WAIT_MS, 'alice')
    await settle()
    let left = 0
    while (other.state === 'waiting') {
      own.filter(({ state }) => state === 'inside')[left]?.leave()
      left += 1
      await settle()
    }
    // Four have not had a turn when alice comes; hers is next.
    expect([other.state, left]).toEqual(['inside', 5])
  })
})

describe('the queue', () => {
  it('turns away who has waited for waitMs, and no earlier', async () => {
    const { clock, comeMany } = prepare()
    const visitor = comeMany('known', 5)[4]
    await settle()
    clock.advance(WAIT_MS - 1)
    await settle()
    expect(visitor?.state).toBe('waiting')
    clock.advance(1)
    await settle()
    expect([visitor?.state, clock.pendingTimers()]).toEqual(['turned away', 0])
  })

  it('holds 1,024 known and 64 new tokens, and turns the rest away at once', async () => {
    for (const [kind, places, queue] of [
      ['known', 4, 1024],
      ['new', 2, 64],
    ] as const) {
      const { comeMany, come } = prepare()
      const waiting = comeMany(kind, places + queue).slice(places)
      const tooMany = come(kind)
      await settle()
      expect(new Set(states(waiting))).toEqual(new Set(['waiting']))
      expect(tooMany.state).toBe('turned away')
    }
  })

  it('of new tokens, when full, is not that of known users', async () => {
    const { come, comeMany } = prepare()
    comeMany('known', 4)
    comeMany('new', 64)
    const [user, stranger] = [come('known'), come('new')]
    await settle()
    expect([user.state, stranger.state]).toEqual(['waiting', 'turned away'])
  })

  it.each(['given back', 'free again'])('gives a place to one only when it is %s as a wait ends', async (how) => {
    const { clock, come, comeMany } = prepare()
    const [first] = comeMany('known', 4)
    const late = come('known')
    const next = come('known', LEASE_MS)
    await settle()
    // In one turn: nobody has heard yet that the time is up, or that there is a place.
    if (how === 'given back') first?.leave()
    clock.advance(WAIT_MS)
    if (how === 'free again') first?.leave()
    await settle()
    expect([late.state, next.state]).toEqual(['inside', 'waiting'])
    late.leave()
    await settle()
    expect(next.state).toBe('inside')
  })
})
