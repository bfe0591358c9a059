import { type Spread, spreadOf } from '../harness/statistics.ts'
import type { Measurement, Outcome } from './rounds.ts'

interface Figures {
  readonly requestsPerSecond: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly processorMicrosPerRequest: Spread
}

/** One scenario, for machines. Ratios are subject over baseline, taken within each round. */
interface Summary {
  readonly name: string
  readonly target: number | undefined
  readonly rounds: number
  readonly contenders: Readonly<Record<string, Figures>>
  readonly ratios: { readonly throughput: Spread; readonly processorTime: Spread }
}

/** Medians over all rounds. */
export function summarise({ scenario, names, rounds }: Outcome): Summary {
  const ratio = (pick: (measurement: Measurement) => number): Spread =>
    spreadOf(rounds.map(({ subject, baseline }) => pick(subject) / pick(baseline)))
  return {
    name: scenario.name,
    target: scenario.target,
    rounds: rounds.length,
    contenders: {
      [names.subject]: toFigures(rounds.map(({ subject }) => subject)),
      [names.baseline]: toFigures(rounds.map(({ baseline }) => baseline)),
    },
    ratios: {
      throughput: ratio(({ requestsPerSecond }) => requestsPerSecond),
      processorTime: ratio(({ processorMicrosPerRequest }) => processorMicrosPerRequest),
    },
  }
}

function toFigures(measurements: readonly Measurement[]): Figures {
  const spread = (pick: (measurement: Measurement) => number): Spread => spreadOf(measurements.map(pick))
  return {
    requestsPerSecond: spread((measurement) => measurement.requestsPerSecond),
    p50Ms: spread((measurement) => measurement.p50Ms),
    p99Ms: spread((measurement) => measurement.p99Ms),
    processorMicrosPerRequest: spread((measurement) => measurement.processorMicrosPerRequest),
  }
}

/** The same for people. */
export function toTable(title: string, { target, rounds, contenders, ratios }: Summary): string {
  const { throughput, processorTime } = ratios
  return [
    title,
    '',
    row('', 'requests/s', 'p50 ms', 'p99 ms', 'processor µs/request'),
    ...Object.entries(contenders).map(([name, figures]) =>
      row(
        name,
        figures.requestsPerSecond.median.toFixed(0),
        figures.p50Ms.median.toFixed(2),
        figures.p99Ms.median.toFixed(2),
        figures.processorMicrosPerRequest.median.toFixed(0),
      ),
    ),
    '',
    `throughput      ${describe(throughput)}  of the baseline's${judge(throughput.median, target)}`,
    `processor time  ${describe(processorTime)}  of the baseline's, per request`,
    `medians of ${rounds} interleaved rounds; in parentheses the least and the most of a round`,
    '',
  ].join('\n')
}

function judge(share: number, target: number | undefined): string {
  return target === undefined ? '' : `; target ${target.toFixed(2)}: ${share >= target ? 'reached' : 'missed'}`
}

function row(name: string, ...cells: readonly string[]): string {
  return `${name.padEnd(28)}${cells.map((cell) => cell.padStart(Math.max(12, cell.length + 2))).join('')}`
}

function describe({ median, min, max }: Spread): string {
  return `${median.toFixed(3)} (${min.toFixed(3)} to ${max.toFixed(3)})`
}
