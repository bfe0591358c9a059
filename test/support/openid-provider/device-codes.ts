import { randomBytes, randomInt } from 'node:crypto'
import type { Client } from './clients.ts'
import { OAuthError } from './oauth-error.ts'
import type { Subject } from './users.ts'

/** What a device was given and what became of it. */
interface DeviceCode {
  client: Client
  scopes: readonly string[]
  userCode: string
  expiresAtMs: number
  intervalMs: number
  lastPollMs: number
  decision: 'pending' | 'denied' | Subject
}

/** The answer of the device authorization endpoint (RFC 8628, 3.2), without the URLs. */
interface NewDeviceCode {
  device_code: string
  user_code: string
  expires_in: number
  interval: number
}

/** The device codes that were given out. */
export interface DeviceCodes {
  start(client: Client, scopes: readonly string[]): NewDeviceCode
  /** What the user approved, once. @throws OAuthError with the code that the device is to be told */
  redeem(client: Client, deviceCode: string): { subject: Subject; scopes: readonly string[] }
  /** What the user decides at the verification page. @throws Error when no device shows that code */
  decide(userCode: string, decision: 'denied' | Subject): void
}

const LIFETIME_SECONDS = 600
/** Added to the interval at each `slow_down` (RFC 8628, 3.5). */
const SLOWER_MS = 5000
/** Without vowels, so that no code is a word (RFC 8628, 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'

/** None yet. `intervalSeconds` is the least time between two polls. */
export function createDeviceCodes(now: () => number, intervalSeconds: number): DeviceCodes {
  const codes = new Map<string, DeviceCode>()
  return {
    start(client, scopes) {
      const deviceCode = randomBytes(32).toString('base64url')
      const userCode = newUserCode()
      codes.set(deviceCode, {
        client,
        scopes,
        userCode,
        expiresAtMs: now() + LIFETIME_SECONDS * 1000,
        intervalMs: intervalSeconds * 1000,
        lastPollMs: Number.NEGATIVE_INFINITY,
        decision: 'pending',
      })
      return {
        device_code: deviceCode,
        user_code: userCode,
        expires_in: LIFETIME_SECONDS,
        interval: intervalSeconds,
      }
    },
    redeem(client, deviceCode) {
      const code = codes.get(deviceCode)
      if (code?.client !== client) throw new OAuthError('invalid_grant', 'there is no such device code')
      if (code.expiresAtMs <= now()) throw new OAuthError('expired_token', 'the device code has expired')
      holdToInterval(code, now())
      if (code.decision === 'pending') throw new OAuthError('authorization_pending', 'the user has not decided yet')
      codes.delete(deviceCode)
      if (code.decision === 'denied') throw new OAuthError('access_denied', 'the user has refused')
      return { subject: code.decision, scopes: code.scopes }
    },
    decide(userCode, decision) {
      const typed = comparable(userCode)
      const code = [...codes.values()].find((candidate) => comparable(candidate.userCode) === typed)
      if (code?.decision !== 'pending') throw new Error(`no device waits with the code ${userCode}`)
      code.decision = decision
    },
  }
}

/** @throws OAuthError slow_down for a poll that comes before the interval is over, which is longer from then on */
function holdToInterval(code: DeviceCode, nowMs: number): void {
  const isEarly = nowMs - code.lastPollMs < code.intervalMs
  code.lastPollMs = nowMs
  if (!isEarly) return
  code.intervalMs += SLOWER_MS
  throw new OAuthError('slow_down', 'the device polls too often')
}

function newUserCode(): string {
  const letters = Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  return `${letters.slice(0, 4)}-${letters.slice(4)}`
}

/** Users type it in any case, with or without the dash. */
function comparable(userCode: string): string {
  return userCode.toUpperCase().replace(/[^A-Z]/g, '')
}
