/** No verdict on a token. Says nothing about it, and is never remembered as if it did. */
export type Unavailable = {
  readonly reason: 'unavailable'
  readonly cause:
    | 'timeout'
    | 'network'
    | 'status'
    | 'redirect'
    | 'malformed'
    | 'too_large'
    /** Keystone was not asked, as its last answers failed or were late. */
    | 'breaker_open'
    /** Keystone was not asked: too many tokens that nobody has seen before. */
    | 'rate_limited'
    /** Keystone was not asked: too many look-ups at once in this isolate. */
    | 'busy'
  readonly status?: number
}

/** An `Unavailable`, with Keystone's status where that is the cause. */
export function unavailable(cause: Unavailable['cause'], status?: number): Unavailable {
  return status === undefined ? { reason: 'unavailable', cause } : { reason: 'unavailable', cause, status }
}

/** Whether Keystone, or what stands before it, answered: it was reached. */
export function isAnswer(error: Unavailable): boolean {
  return ['status', 'redirect', 'malformed', 'too_large'].includes(error.cause) && !isUnreachable(error)
}

/**
 * Whether Keystone is unreachable, which alone lets an identity be served past its time: no connection, no answer in
 * time, 500, 502, 503, 504, an open breaker. What an attacker can bring about with tokens of his own (a rate limit, a
 * full queue) is not among it, nor is any answer that Keystone gave on purpose.
 */
export function isUnreachable({ cause, status = 0 }: Unavailable): boolean {
  if (cause === 'status') return [500, 502, 503, 504].includes(status)
  return cause === 'timeout' || cause === 'network' || cause === 'breaker_open'
}
