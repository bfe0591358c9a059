import { type App, createApp } from './app.ts'
import { createIdentifyCaller } from './http/caller.ts'
import { createReview } from './review.ts'
import { readConfiguration } from './settings.ts'
import { createAudit } from './telemetry/audit.ts'
import { createReportEvent, describeUnexpected } from './telemetry/events.ts'
import { VERSION } from './version.ts'

const DEFAULT_AUDIT_REPEATS_SECONDS = 60

let app: App | undefined

/** Reads the settings and builds the app, once per isolate. */
function start(env: CloudflareBindings): App {
  const log = (line: string): void => console.log(line)
  const now = Date.now
  const report = createReportEvent({ now, log })
  const { settings, callers } = readConfiguration({ ...env })
  if (!settings.ok) report({ code: 'settings_faulty', faults: settings.error })
  return createApp({
    identifyCaller: createIdentifyCaller(callers),
    version: VERSION,
    review: createReview(settings, { now, report, startTimer, fetch: (url, init) => fetch(url, init) }),
    audit: createAudit({
      now,
      log,
      repeatsSeconds: settings.ok ? settings.value.auditRepeatsSeconds : DEFAULT_AUDIT_REPEATS_SECONDS,
    }),
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
