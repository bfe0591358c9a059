import { type Clock, settleBy } from '../../lib/clock.ts'

/** The part of the binding `LOOKUPS` that is used. */
export type LookUpsLimit = Pick<RateLimit, 'limit'>

/** Whether a token that this isolate does not know may be looked up for the cluster, in KV and then at Keystone. */
export type AdmitNewToken = (cluster: string) => Promise<boolean>

const TIMEOUT_MS = 250

/**
 * A limit that fails or is late is passed over and reported, because it must not keep honest users out; `undefined` lets every
 * token pass.
 */
export function createRateLimit(
  limit: LookUpsLimit | undefined,
  clock: Clock,
  onFault: (code: 'lookups_failed') => void,
): AdmitNewToken {
  return async function admitNewToken(cluster) {
    const ask = async (): Promise<boolean | undefined> => (await limit?.limit({ key: `${cluster}:new` }))?.success
    const success = await settleBy(clock, clock.now() + TIMEOUT_MS, ask(), () => undefined).catch(() => undefined)
    if (limit !== undefined && success === undefined) onFault('lookups_failed')
    return success ?? true
  }
}
