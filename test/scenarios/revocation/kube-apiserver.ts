/** What a request meets: it may go on, it may not, or that cannot be told. */
type Verdict = 'yes' | 'no' | 'cannot tell'
export type Ask = () => Promise<Verdict>

/** Seconds for which kube-apiserver keeps what it was told. */
export interface ApiServerCaches {
  readonly tokenSeconds: number
  readonly frontSeconds: number
  readonly accessSeconds: number
}

// As in kubernetes/apiserver: pkg/authentication/token/cache (once around the webhook, once around all authenticators
// together), and plugin/pkg/authorizer/webhook. Each counts from the answer; none is refreshed by a hit.

/** One token through kube-apiserver: the webhook's cache, which keeps every definite answer, and the one in front. */
export function rememberToken(ask: Ask, now: () => number, { tokenSeconds, frontSeconds }: ApiServerCaches): Ask {
  const cached = remember(ask, now, (verdict) => (verdict === 'cannot tell' ? 0 : tokenSeconds))
  return remember(cached, now, (verdict) => (verdict === 'yes' ? frontSeconds : 0))
}

/** One SubjectAccessReview through kube-apiserver. What was not allowed is kept for another time, 30 s by default. */
export function rememberAccess(ask: Ask, now: () => number, { accessSeconds }: ApiServerCaches): Ask {
  return remember(ask, now, (verdict) => ({ yes: accessSeconds, no: 30, 'cannot tell': 0 })[verdict])
}

function remember(ask: Ask, now: () => number, secondsOf: (verdict: Verdict) => number): Ask {
  let kept: { readonly verdict: Verdict; readonly untilMs: number } | undefined
  return async () => {
    if (kept !== undefined && now() < kept.untilMs) return kept.verdict
    const verdict = await ask()
    kept = { verdict, untilMs: now() + secondsOf(verdict) * 1000 }
    return verdict
  }
}
