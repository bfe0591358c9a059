import { type App, createApp } from './app.ts'
import { connectRooms } from './review.ts'
import { readConfiguration } from './settings.ts'
import { createAudit } from './telemetry/audit.ts'
import { createCallerAudit } from './telemetry/caller-audit.ts'
import { createReportEvent, describeUnexpected } from './telemetry/events.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { VERSION } from './version.ts'

const DEFAULT_AUDIT_REPEATS_SECONDS = 60

let app: App | undefined

/** Reads the settings and builds the app, once per isolate. */
function start(env: CloudflareBindings): App {
  const log = (line: string): void => console.log(line)
  const now = Date.now
  const report = createReportEvent({ now, log })
  const configuration = readConfiguration({ ...env })
  const { settings } = configuration
  if (!settings.ok) report({ code: 'settings_faulty', faults: settings.error })
  const metrics = createMetrics(configuration.metrics, { now, onFault: () => report({ code: 'metrics_failed' }) })
  return createApp({
    ...connectRooms(configuration, { now, report, startTimer, fetch: (url, init) => fetch(url, init) }),
    version: VERSION,
    audit: createAudit({
      now,
      log,
      repeatsSeconds: settings.ok ? settings.value.auditRepeatsSeconds : DEFAULT_AUDIT_REPEATS_SECONDS,
    }),
    auditCaller: createCallerAudit({ now, log, measure: metrics?.refused }),
    metrics,
    onUnexpected: (error) => report(describeUnexpected(error)),
  })
}

function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}

export default {
  fetch(request, env, context) {
    app ??= start(env)
    return app(request, (promise) => context.waitUntil(promise))
  },
} satisfies ExportedHandler<CloudflareBindings>
