import { parseArgs } from 'node:util'
import { readNumber } from '../harness/read-number.ts'
import type { ScenarioOptions } from './scenario.ts'

/** How to measure. The defaults are those of the project's published figures. */
export interface Options extends ScenarioOptions {
  /** Pairs of measurements for each scenario. */
  readonly rounds: number
  /** Seconds for each contender in a round, in slices of a second that alternate with the other contender's. */
  readonly seconds: number
  /** Connections that are kept busy. */
  readonly connections: number
  /** The built Worker. */
  readonly bundle: string
  /** Names of scenarios; empty means all. */
  readonly scenarios: readonly string[]
  readonly json: boolean
  readonly help: boolean
}

/** What `--help` prints. */
export const USAGE = `Usage: npm run bench -- [options]

  --rounds N       pairs of measurements, interleaved (9)
  --seconds N      length of one measurement, in slices of a second (4)
  --connections N  connections that are kept busy (16)
  --scenario NAME  only this one; may be repeated (all)
  --bundle PATH    the built Worker (dist/worker.js)
  --against PATH   another built Worker, which cold-token-review needs
  --json           print one JSON object and nothing else
`

/** Reads the command line; throws with a message for people. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '9' },
      seconds: { type: 'string', default: '4' },
      connections: { type: 'string', default: '16' },
      scenario: { type: 'string', multiple: true, default: [] },
      bundle: { type: 'string', default: 'dist/worker.js' },
      against: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  return {
    rounds: readCount('rounds', values.rounds),
    seconds: readCount('seconds', values.seconds),
    connections: readCount('connections', values.connections),
    bundle: values.bundle,
    against: values.against,
    scenarios: values.scenario,
    json: values.json,
    help: values.help,
  }
}

function readCount(name: string, text: string): number {
  return readNumber(`--${name}`, text, { min: 1, max: 9999 })
}
