import type { Clock } from '../lib/clock.ts'
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
 * Counts reviews, refused callers and look-ups behind answers in the dataset `METRICS`: one point for each decoded
 * review, one for each such look-up, and one for each line of refused callers, which are few whatever is sent. More
 * people read metrics than logs: no user, no token, no fingerprint, no address. The positions are for good, as queries
 * and stored points go by them; docs/operations.md, "Metrics", names them.
 */
export interface Metrics {
  /** `startedAtMs` is when the request arrived, by `now`. */
  review(cluster: string, record: ReviewRecord, startedAtMs: number): void
  refused(refusal: CallerRefusal, callers: number): void
  /** A look-up that no review waited for. */
  refreshed(cluster: string, cost: Pick<ReviewRecord, 'source' | 'keystoneCalls' | 'keystoneMs'>): void
}

interface MetricsDeps {
  readonly clock: Pick<Clock, 'now'>
  /** Told of a dataset that throws; a review never fails for that. */
  readonly onFault: () => void
}

/** Nothing at all without a dataset, so that it costs nothing. */
export function createMetrics(
  dataset: MetricsDataset | undefined,
  { clock, onFault }: MetricsDeps,
): Metrics | undefined {
  if (dataset === undefined) return undefined
  const write = (cluster: string, blobs: readonly string[], doubles: readonly number[]): void => {
    try {
      dataset.writeDataPoint({ indexes: [cluster], blobs, doubles })
    } catch {
      onFault()
    }
  }
  return {
    review(cluster, { kind, apiVersion, decision, reason, source = '', ...record }, startedAtMs) {
      // The entries of a policy would be as many values as its author likes.
      const bounded = reason.startsWith('policy ') ? 'policy' : reason
      const { keystoneCalls, keystoneMs, leftOut } = record
      const blobs = [kind, apiVersion, decision, bounded, source]
      write(cluster, blobs, [keystoneCalls, keystoneMs, leftOut, clock.now() - startedAtMs, 1])
    },
    refused({ cluster = '-', reason }, callers) {
      write(cluster, ['caller', '', 'refused', reason, ''], [0, 0, 0, 0, callers])
    },
    refreshed(cluster, { source = '', keystoneCalls, keystoneMs }) {
      write(cluster, ['refresh', '', '', '', source], [keystoneCalls, keystoneMs, 0, 0, 1])
    },
  }
}
