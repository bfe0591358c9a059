import type { ReviewRecord } from './audit.ts'
import type { CallerRefusal } from './caller-audit.ts'

/** The part of an Analytics Engine dataset that is used. It returns at once, and sends behind the answer. */
export interface MetricsDataset {
  writeDataPoint(point: DataPoint): void
}

interface DataPoint {
  readonly indexes: readonly [string]
  readonly blobs: readonly string[]
  readonly doubles: readonly number[]
}

/**
 * Counts reviews and refused callers in the dataset `METRICS`: one point for each decoded review, and one for each
 * line of refused callers, which are few whatever is sent. More people read metrics than logs: no user, no token, no
 * fingerprint, no address. The positions are for good, as queries and stored points go by them:
 *
 * | position  | name            | of a review                                    | of refused callers                    |
 * | --------- | --------------- | ---------------------------------------------- | ------------------------------------- |
 * | `index1`  | `cluster`       | of the caller                                  | of the credential, `-` if not listed  |
 * | `blob1`   | `kind`          | `TokenReview` or `SubjectAccessReview`         | `caller`                              |
 * | `blob2`   | `apiVersion`    | of the review                                  | empty                                 |
 * | `blob3`   | `decision`      | the audit line's                               | `refused`                             |
 * | `blob4`   | `reason`        | the audit line's; of a policy's entry `policy` | the line's                            |
 * | `blob5`   | `source`        | the audit line's, empty if it has none         | empty                                 |
 * | `double1` | `keystoneCalls` | the audit line's                               | 0                                     |
 * | `double2` | `keystoneMs`    | the audit line's                               | 0                                     |
 * | `double3` | `leftOut`       | the audit line's                               | 0                                     |
 * | `double4` | `reviewMs`      | from the request's arrival to the answer       | 0                                     |
 * | `double5` | `count`         | 1                                              | how many callers the point stands for |
 */
export interface Metrics {
  /** `startedAtMs` is when the request arrived, by `now`. */
  review(cluster: string, record: ReviewRecord, startedAtMs: number): void
  refused(refusal: CallerRefusal, callers: number): void
  readonly now: () => number
}

export interface MetricsDeps {
  readonly now: () => number
  /** Told of a dataset that throws; a review never fails for that. */
  readonly onFault: () => void
}

/** Nothing at all without a dataset, so that it costs nothing. */
export function createMetrics(dataset: MetricsDataset | undefined, { now, onFault }: MetricsDeps): Metrics | undefined {
  if (dataset === undefined) return undefined
  const write = (cluster: string, blobs: readonly string[], doubles: readonly number[]): void => {
    try {
      dataset.writeDataPoint({ indexes: [cluster], blobs, doubles })
    } catch {
      onFault()
    }
  }
  return {
    now,
    review(cluster, { kind, apiVersion, decision, reason, source = '', ...record }, startedAtMs) {
      // The entries of a policy would be as many values as its author likes.
      const bounded = reason.startsWith('policy ') ? 'policy' : reason
      const { keystoneCalls, keystoneMs, leftOut } = record
      const blobs = [kind, apiVersion, decision, bounded, source]
      write(cluster, blobs, [keystoneCalls, keystoneMs, leftOut, now() - startedAtMs, 1])
    },
    refused({ cluster = '-', reason }, callers) {
      write(cluster, ['caller', '', 'refused', reason, ''], [0, 0, 0, 0, callers])
    },
  }
}
