import type { ReportedState } from '../documents/registry.ts'
import type { BreakerState } from '../keystone/limits/breaker.ts'
import type { Fault } from '../lib/fault.ts'
import type { WaitUntil, WebhookDeps } from './answer-review.ts'
import type { IdentifyCaller } from './caller.ts'
import { JSON_HEADERS } from './problem.ts'
import { refuseCaller } from './refuse-caller.ts'

/** What `/readyz` knows of the Worker's insides. */
export interface Readiness {
  readonly settings: readonly Fault[]
  readonly keystoneReachable: () => Promise<boolean>
  readonly breaker: () => BreakerState
  readonly documents: (cluster: string, waitUntil: WaitUntil) => Promise<Readonly<Record<string, ReportedState>>>
}

export interface ReadyDeps {
  readonly identifyCaller: IdentifyCaller
  /** Whether any caller can be known at all. */
  readonly hasCallers: (waitUntil: WaitUntil) => Promise<boolean>
  readonly readiness: Readiness
  readonly now: () => number
}

/**
 * `GET /readyz` for operators with a caller's credential: 200, or 503 while Keystone is unreachable, a setting is
 * faulty or a document's newest version is not in force. Without any readable caller it says only which settings are
 * faulty, to anyone: otherwise nobody could learn why.
 */
export function createReady(deps: ReadyDeps & Pick<WebhookDeps, 'auditCaller'>) {
  const { identifyCaller, auditCaller, hasCallers, readiness, now } = deps
  return async (request: Request, waitUntil: WaitUntil): Promise<Response> => {
    if (!(await hasCallers(waitUntil))) {
      const names = readiness.settings.map(({ path }) => path.split(/[.[]/)[0])
      return answer({ settings: [...new Set(names)] }, false)
    }
    const caller = await identifyCaller(request, undefined, waitUntil)
    if (!caller.ok) return refuseCaller(caller.error, request, undefined, auditCaller)
    const [reachable, states] = await Promise.all([
      readiness.keystoneReachable(),
      readiness.documents(caller.value, waitUntil),
    ])
    const documents = Object.fromEntries(Object.entries(states).map(([name, state]) => [name, describe(state, now())]))
    const inForce = Object.values(states).every(({ faults }) => faults.length === 0)
    const body = { keystone: { reachable }, breaker: readiness.breaker(), settings: readiness.settings, documents }
    return answer(body, reachable && inForce && readiness.settings.length === 0)
  }
}

function describe({ source, digest, seenAtMs, faults, inert = [] }: ReportedState, now: number) {
  const ageSeconds = Math.max(0, Math.round((now - seenAtMs) / 1000))
  return { source, ageSeconds, digest: digest ?? null, faults, ...(inert.length > 0 && { inert }) }
}

function answer(body: unknown, ready: boolean): Response {
  return new Response(JSON.stringify(body), { status: ready ? 200 : 503, headers: JSON_HEADERS })
}
