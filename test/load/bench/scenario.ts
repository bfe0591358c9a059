import type { Stage } from './stage.ts'

/** What is posted, again and again. Both parts are secrets. */
export interface Post {
  readonly authorization: string
  readonly body: string
}

/** One side of a comparison: a server in a process of its own. */
export interface Contender {
  readonly name: string
  readonly pid: number
  readonly url: string
  /** Throws when the server does not answer as it must; asked before and after all rounds. */
  check(): Promise<void>
}

/** Two servers that get the same POST. */
export interface Pair {
  readonly post: Post
  /** What the scenario is about. */
  readonly subject: Contender
  /** What it is compared with. */
  readonly baseline: Contender
}

/** One comparison. A new one is a file in `scenarios/` and an entry in the list in bench.ts. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** The least throughput, as a share of the baseline's, that the project promises. Printed, never enforced. */
  readonly target: number
  /** Why it cannot be played on this machine, if so; then it is left out, and that is said. */
  unavailable?(): string | undefined
  /** Starts both servers; what it starts it hands to the stage. */
  start(stage: Stage): Promise<Pair>
}
