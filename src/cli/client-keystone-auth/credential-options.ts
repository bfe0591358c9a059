import type { Clock } from '../../lib/clock.ts'

/** How a credential is got, beside what it is for. */
export interface CredentialOptions {
  readonly clock: Clock
  /** `undefined`: nothing is kept. */
  readonly cachePath: string | undefined
  readonly forceRefresh: boolean
  /** The process that asked. */
  readonly parentId: number
  /** Whether somebody can be asked on the terminal. */
  readonly canAsk: () => boolean
  readonly tell: (message: string) => void
}
