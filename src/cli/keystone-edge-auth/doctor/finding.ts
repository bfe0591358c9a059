/** What one check found, in the shape of the contract. `fix` is empty where nothing is to do here. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly message: string
  readonly fix: string
}

export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message, fix: '' }
}

export function warning(check: string, message: string, fix: string): Finding {
  return { check, state: 'warning', message, fix }
}

export function failed(check: string, message: string, fix: string): Finding {
  return { check, state: 'failed', message, fix }
}

/** A check that an earlier one makes pointless. It is no failure of its own. */
export function notTried(check: string, because: string): Finding {
  return warning(check, `not tried, because ${because} failed`, '')
}
