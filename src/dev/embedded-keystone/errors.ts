/** The statuses that Keystone's Identity API answers an error with, and the `title` it gives each. */
const TITLES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
} as const

/** A status that Keystone answers an error with. */
type ErrorStatus = keyof typeof TITLES

/** What every plain 401 says, whatever the cause: Keystone does not tell which part of a login was wrong. */
const UNAUTHENTICATED = 'The request you have made requires authentication.'

/** Ends most 400 messages. */
const MALFORMED =
  'The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.'

/**
 * An error that the API answers with. `invalidToken` marks those that mean "this is no valid token": as the
 * caller's own token (`X-Auth-Token`) it becomes a 401, as the token asked about (`X-Subject-Token`) it stays the 404
 * that it is. All others keep their status in both places.
 */
export class KeystoneError extends Error {
  readonly status: ErrorStatus
  readonly invalidToken: boolean

  constructor(status: ErrorStatus, message: string, invalidToken = false) {
    super(message)
    this.name = 'KeystoneError'
    this.status = status
    this.invalidToken = invalidToken
  }

  /** The body of the answer. */
  toBody(): { error: { code: number; message: string; title: string } } {
    return { error: { code: this.status, message: this.message, title: TITLES[this.status] } }
  }
}

/** 401, with the words that hide the cause unless others are given. */
export function unauthorized(message: string = UNAUTHENTICATED): KeystoneError {
  return new KeystoneError(401, message)
}

/** 403; with an action the message names it. */
export function forbidden(action?: string): KeystoneError {
  const detail = action === undefined ? '.' : `: ${action}.`
  return new KeystoneError(403, `You are not authorized to perform the requested action${detail}`)
}

/** 404 for an entity that is not there. */
export function notFound(kind: string, id: string): KeystoneError {
  return new KeystoneError(404, `Could not find ${kind}: ${id}.`)
}

/** 404 for something that is not, or no longer, a valid token. */
export function invalidToken(message = 'Failed to validate token'): KeystoneError {
  return new KeystoneError(404, message, true)
}

/** 400 with the reason first. */
export function badRequest(reason: string): KeystoneError {
  return new KeystoneError(400, `${reason} ${MALFORMED}`)
}

/** 400 for something missing from the body. */
export function expecting(attribute: string, target: string): KeystoneError {
  return badRequest(`Expecting to find ${attribute} in ${target}.`)
}

/** 409 for a name that is taken. */
export function conflict(kind: string, detail: string): KeystoneError {
  return new KeystoneError(409, `Conflict occurred attempting to store ${kind} - ${detail}.`)
}
