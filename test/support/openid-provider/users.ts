/** A user who may log in. */
export interface User {
  /** The subject identifier: stable, and never given to anybody else. */
  sub: string
  username: string
  password: string
  email: string
}

/** Whom a token is about, in claims. */
export interface Subject {
  sub: string
  preferred_username: string
  email?: string
}

/** A user in claims. */
export function subjectOf({ sub, username, email }: User): Subject {
  return { sub, preferred_username: username, email }
}
