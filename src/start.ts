import { type App, createApp } from './app.ts'
import { VERSION } from './lib/version.ts'
import { connectRooms, type Effects } from './services.ts'
import { readConfiguration } from './settings.ts'
import { createAudit } from './telemetry/audit.ts'
import { createCallerAudit } from './telemetry/caller-audit.ts'
import { createReportEvent, describeUnexpected } from './telemetry/events.ts'
import { createMetrics } from './telemetry/metrics.ts'

const DEFAULT_AUDIT_REPEATS_SECONDS = 60

/** Everything outside that the app touches, besides the bindings. */
export interface Outside extends Pick<Effects, 'now' | 'startTimer' | 'fetch'> {
  readonly log: (line: string) => void
}

/** Reads the settings and builds the app; once per isolate. */
export function startApp(bindings: Readonly<Record<string, unknown>>, { log, ...outside }: Outside): App {
  const { now } = outside
  const report = createReportEvent({ now, log })
  const configuration = readConfiguration(bindings)
  const { settings } = configuration
  if (!settings.ok) report({ code: 'settings_faulty', faults: settings.error })
  const metrics = createMetrics(configuration.metrics, { now, onFault: () => report({ code: 'metrics_failed' }) })
  const repeatsSeconds = settings.ok ? settings.value.auditRepeatsSeconds : DEFAULT_AUDIT_REPEATS_SECONDS
  return createApp({
    ...connectRooms(configuration, { ...outside, report, onRefresh: metrics?.refreshed }),
    version: VERSION,
    audit: createAudit({ now, log, repeatsSeconds }),
    auditCaller: createCallerAudit({ now, log, measure: metrics?.refused }),
    metrics,
    onUnexpected: (error) => report(describeUnexpected(error)),
  })
}
