import { describe, expect, it } from 'vitest'
import { createLookUpGate } from '../../../src/keystone/limits/look-up-gate.ts'
import { createClock, settle } from '../../support/clock.ts'

// A request that was cancelled runs nothing any more: it neither gives a place back nor hears that its time is up.

const LEASE_MS = 8_000
const WAIT_MS = 2_000

/** A gate, and the same for requests whose timers died with them. */
function start() {
  const clock = createClock()
  let cancelled = false
  const gate = createLookUpGate({
    now: clock.now,
    startTimer: (ms, callback) => (cancelled ? () => undefined : clock.startTimer(ms, callback)),
  })
  return {
    clock,
    gate,
    waitCancelled(user: string) {
      cancelled = true
      void gate.enter('known', WAIT_MS, LEASE_MS, user)
      cancelled = false
    },
  }
}

/** What `promise` came to, or `pending`. */
async function outcome(promise: Promise<unknown>): Promise<'place' | 'none' | 'pending'> {
  let settled: 'place' | 'none' | 'pending' = 'pending'
  void promise.then((leave) => {
    settled = leave === undefined ? 'none' : 'place'
  })
  await settle()
  return settled
}

describe('a place in the gate', () => {
  it('whose holder was cancelled is free again after its lease, not before', async () => {
    const { clock, gate } = start()
    for (const user of ['a', 'b', 'c', 'd']) await gate.enter('known', WAIT_MS, LEASE_MS, user)
    clock.advance(LEASE_MS - 1)
    const early = gate.enter('known', WAIT_MS, LEASE_MS, 'e')
    expect(await outcome(early)).toBe('pending')
    clock.advance(1)
    expect(await outcome(gate.enter('known', WAIT_MS, LEASE_MS, 'f'))).toBe('place')
  })

  it('is given to nobody whose time to wait was up long ago', async () => {
    const { clock, gate, waitCancelled } = start()
    const leaves = []
    for (const user of ['a', 'b', 'c', 'd']) leaves.push(await gate.enter('known', WAIT_MS, LEASE_MS, user))
    for (let gone = 0; gone < 64; gone += 1) waitCancelled(`gone-${gone}`)
    clock.advance(WAIT_MS + 1)
    for (const leave of leaves) leave?.()
    expect(await outcome(gate.enter('known', WAIT_MS, LEASE_MS, 'alice'))).toBe('place')
  })

  it('is the only one for the known tokens of one user, and others pass those who wait for a second', async () => {
    const { gate } = start()
    const mallorys = []
    for (let tokens = 0; tokens < 68; tokens += 1) {
      mallorys.push(outcome(gate.enter('known', WAIT_MS, LEASE_MS, 'mallory')))
    }
    const outcomes = await Promise.all(mallorys)
    expect(outcomes.filter((one) => one === 'place')).toHaveLength(1)
    expect(outcomes.filter((one) => one === 'none')).toHaveLength(3)
    expect(await outcome(gate.enter('known', WAIT_MS, LEASE_MS, 'alice'))).toBe('place')
  })
})
