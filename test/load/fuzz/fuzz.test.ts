import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBundle } from '../../../src/dev/local-worker.ts'
import { createStage, type Stage } from '../harness/stage.ts'
import { readSeed, runCampaign } from './campaign.ts'
import { runHostileKeystone } from './hostile-keystone.ts'

// The same as `npm run fuzz`, which sends a million. FUZZ_SEED repeats a run.

const LIMIT_MS = 120_000

describe('hostile input', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-fuzz-'))
  const seed = readSeed(process.env.FUZZ_SEED)
  let stage: Stage
  beforeAll(async () => {
    stage = createStage(new AbortController().signal, await buildBundle(resolve('.'), directory))
  })
  afterAll(async () => {
    await stage.close()
    rmSync(directory, { recursive: true })
  })

  it('in 20,000 requests gets no yes but Keystone’s, no 5xx, no silence and no secret out', {
    timeout: LIMIT_MS,
  }, async () => {
    const { faults, yeses, statuses } = await runCampaign(stage, { runs: 20_000, seed, from: 0, connections: 16 })
    expect(faults).toEqual([])
    // The valid requests among them are accepted, and every status occurs.
    expect(yeses.authenticated).toBeGreaterThan(1000)
    expect(yeses.allowed).toBeGreaterThan(20)
    for (const status of [200, 400, 401, 403, 404, 405]) expect(statuses[status]).toBeGreaterThan(0)
  })

  it('from Keystone in 1,000 logins makes no reserved name, no stolen group and no stray request', {
    timeout: LIMIT_MS,
  }, async () => {
    const { faults, yeses, groupsAsked } = await runHostileKeystone(stage, { runs: 1000, seed, from: 0 })
    expect(faults).toEqual([])
    expect(yeses).toBeGreaterThan(100)
    expect(groupsAsked).toBeGreaterThan(yeses)
  })
})
