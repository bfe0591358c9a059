import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import * as v from 'valibot'
import { unstable_readConfig } from 'wrangler'
import type { Fault } from '../lib/fault.ts'

interface LocalWorkerOptions {
  /** The repository: where wrangler.toml is. */
  readonly root: string
  readonly port: number
  readonly tls?: { readonly key: string; readonly certificate: string }
  /** Vars and secrets, over those of wrangler.toml. */
  readonly bindings: Readonly<Record<string, string>>
  /** Where KV lives on disk; in memory when absent. */
  readonly kvDirectory?: string
  /** Where the built bundle goes. */
  readonly bundleDirectory: string
  /** One line that the Worker logged. */
  readonly onLog: (line: string) => void
}

interface LocalWorker {
  readonly url: URL
  readonly kv: (binding: 'CONFIG' | 'CACHE') => ReturnType<Miniflare['getKVNamespace']>
  /** What is wrong with the vars and secrets. Reads no document of a cluster, so that the first edit is in force at once. */
  faultySettings(): Promise<readonly Fault[]>
  close(): Promise<void>
}

interface RateLimit {
  readonly name: string
  readonly namespace_id: string
  readonly simple: { readonly limit: number; readonly period: 10 | 60 }
}

const FirstLines = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    event: v.string(),
    code: v.optional(v.string()),
    faults: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
  }),
)

/** Builds the bundle exactly as a deployment does; returns the path of its only module. */
export async function buildBundle(root: string, bundleDirectory: string): Promise<string> {
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const build = [wrangler, 'deploy', '--dry-run', '--outdir', bundleDirectory]
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' }
  await promisify(execFile)(process.execPath, build, { cwd: root, env })
  return join(bundleDirectory, 'worker.js')
}

/** Runs the bundle in a real workerd, with the bindings that wrangler.toml names, KV embedded. */
export async function startLocalWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const script = await buildBundle(options.root, options.bundleDirectory)
  const config = unstable_readConfig({ config: join(options.root, 'wrangler.toml') })
  const settings = Promise.withResolvers<readonly Fault[]>()
  const faults: Fault[] = []
  let isAsking = false
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      compatibilityDate: config.compatibility_date ?? '',
      compatibilityFlags: config.compatibility_flags,
      kvNamespaces: config.kv_namespaces.map((namespace: { binding: string }) => namespace.binding),
      modules: [{ type: 'ESModule', path: 'worker.js', contents: readFileSync(script, 'utf8') }],
      ratelimits: Object.fromEntries(config.ratelimits.map((limit: RateLimit) => [limit.name, limit])),
      bindings: { ...options.bindings },
      host: '127.0.0.1',
      port: options.port,
      ...(options.tls && { https: true, httpsKey: options.tls.key, httpsCert: options.tls.certificate }),
      ...(options.kvDirectory !== undefined && { resourcePersistencePath: options.kvDirectory }),
      handleStructuredLogs: ({ message }) => {
        if (!isAsking) return options.onLog(message)
        const line = v.safeParse(FirstLines, message)
        if (line.success && line.output.code === 'settings_faulty') faults.push(...(line.output.faults ?? []))
        if (!line.success || line.output.event !== 'caller') return options.onLog(message)
        isAsking = false
        settings.resolve(faults)
      },
      log: new Log(LogLevel.ERROR),
    }),
  )
  const url = await miniflare.ready
  return {
    url,
    kv: (binding) => miniflare.getKVNamespace(binding),
    async faultySettings() {
      isAsking = true
      // A request without a credential is refused, and its audit line comes after what the Worker logs of its settings.
      await miniflare.dispatchFetch(new URL('/webhook', url), { method: 'POST' })
      return settings.promise
    },
    close: () => miniflare.dispose(),
  }
}
