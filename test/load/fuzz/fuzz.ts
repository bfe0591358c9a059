import { runLoadCommand } from '../harness/load-command.ts'
import { readNumber } from '../harness/read-number.ts'
import { readSeed, runCampaign } from './campaign.ts'
import { runHostileKeystone } from './hostile-keystone.ts'

// `npm run fuzz`. FUZZ_RUNS, FUZZ_SEED and FUZZ_FROM in the environment. Exits with 1 for any fault.

/** The bounded caches (20,000 refusals, 10,000 audit lines) are full within three tenths of a million; more is a leak. */
const MAX_GROWTH_MIB = 64

await runLoadCommand('fuzz', async ({ withStage }) => {
  const { FUZZ_RUNS = '1000000', FUZZ_FROM = '0', FUZZ_SEED } = process.env
  const runs = readNumber('FUZZ_RUNS', FUZZ_RUNS, { min: 1, max: 1e9 })
  const from = readNumber('FUZZ_FROM', FUZZ_FROM, { min: 0, max: 1e9 })
  const seed = readSeed(FUZZ_SEED)
  print({ runs, seed, from })
  await withStage('dist/worker.js', async (stage) => {
    const onTenth = (tenth: number, memoryMib: number): void => print({ tenth, memoryMib: Math.round(memoryMib) })
    const requests = await runCampaign(stage, { runs, seed, from, connections: 16, onTenth })
    print({ ...requests, memoryMib: requests.memoryMib.map(Math.round) })
    const answers = await runHostileKeystone(stage, { runs: Math.ceil(runs / 20), seed, from })
    print(answers)
    const growth = (requests.memoryMib.at(-1) ?? 0) - (requests.memoryMib[2] ?? 0)
    print({ growthMib: Math.round(growth), allowedMib: MAX_GROWTH_MIB })
    const grows = runs >= 1_000_000 && growth > MAX_GROWTH_MIB
    if (grows || requests.faults.length > 0 || answers.faults.length > 0) process.exitCode = 1
  })
})

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
