import type { App } from './app.ts'
import { startApp } from './start.ts'

let app: App | undefined

function start(env: CloudflareBindings): App {
  return startApp(
    { ...env },
    { now: Date.now, startTimer, fetch: (url, init) => fetch(url, init), log: (line) => console.log(line) },
  )
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
