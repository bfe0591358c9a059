import { type Clock, settleBy } from '../../lib/clock.ts'

/** The part of the binding `LOOKUPS` that is used. */
export type LookUpsLimit = Pick<RateLimit, 'limit'>

/** Whether a token that this isolate does not know may be looked up for the cluster, in KV and then at Keystone. */
export type AdmitNewToken = (cluster: string) => Promise<boolean>

interface RateLimitDeps {
  /** `undefined` without the binding: then every token may. */
  readonly limit: LookUpsLimit | undefined
  readonly clock: Clock
  /** Told when the limit cannot be asked. */
  readonly onFault: (code: 'lookups_failed') => void
}

const TIMEOUT_MS = 250

/** A limit that fails or is late is passed over: it must not keep honest users out. */
export function createRateLimit({ limit, clock, onFault }: RateLimitDeps): AdmitNewToken {
  if (limit === undefined) return async () => true
  const passOver = (): boolean => {
    onFault('lookups_failed')
    return true
  }
  return async function admitNewToken(cluster) {
    try {
      const ask = async (): Promise<boolean> => (await limit.limit({ key: `${cluster}:new` })).success
      return await settleBy(clock, clock.now() + TIMEOUT_MS, ask, passOver)
    } catch {
      return passOver()
    }
  }
}
