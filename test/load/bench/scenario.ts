import type { Stage } from '../harness/stage.ts'

/** What was seen in one measurement. */
export interface Load {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of one answer, on average: the body, and the head when the load counts heads. */
  readonly bytesPerAnswer: number
}

export interface LoadOptions {
  readonly seconds: number
  readonly connections: number
}

/** What is posted, again and again. Both parts are secrets. */
export interface Post {
  readonly authorization: string
  readonly body: string
}

/** One side of a comparison: a server in a process of its own. */
export interface Contender {
  readonly name: string
  readonly pid: number
  /** Keeps the server busy. Rejects when a request fails. */
  load(options: LoadOptions): Promise<Load>
  /** Throws when the server does not answer as it must; asked before and after all rounds. */
  check(): Promise<void>
}

/** Two servers that get the same load. */
export interface Pair {
  /** What the scenario is about. */
  readonly subject: Contender
  /** What it is compared with. */
  readonly baseline: Contender
}

/** What the command line says to scenarios. */
export interface ScenarioOptions {
  /** Path of another bundle, to compare the stage's bundle with. */
  readonly against: string | undefined
}

/** One comparison. A new one is a file in `scenarios/` and an entry in the list in bench.ts. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** The least throughput, as a share of the baseline's, that the project promises. Printed, never enforced. */
  readonly target?: number
  /** Why the scenario cannot run here, if so; then the command leaves the scenario out and says why. */
  unavailable?(options: ScenarioOptions): string | undefined
  /** Starts both servers, which the stage ends. */
  start(stage: Stage, options: ScenarioOptions): Promise<Pair>
}
