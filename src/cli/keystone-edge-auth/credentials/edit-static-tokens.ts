import { err, ok, type Result } from '../../../lib/result.ts'

/** The document `authenticators`, which `parseAuthenticators` accepted, in the order of the file. */
export type AuthenticatorsText = Readonly<Record<string, unknown>>

/** An entry of `static`. */
export interface StaticEntry {
  readonly token: string
  readonly username: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly expires?: string
}

/** The entries of `static`. */
export function listStaticTokens(document: AuthenticatorsText): readonly StaticEntry[] {
  // The parser accepted them.
  return Array.isArray(document.static) ? (document.static as StaticEntry[]) : []
}

/** Adds an entry behind the others. */
export function addStaticToken(document: AuthenticatorsText, entry: StaticEntry): AuthenticatorsText {
  return { ...document, static: [...listStaticTokens(document), entry] }
}

/** Removes the entry of a user, or the one whose digest begins with the text. */
export function removeStaticToken(document: AuthenticatorsText, which: string): Result<AuthenticatorsText, string> {
  const all = listStaticTokens(document)
  const byDigest = all.filter(
    ({ token }) => which.length >= 8 && [token, token.slice('sha256:'.length)].some((one) => one.startsWith(which)),
  )
  const found = byDigest.length > 0 ? byDigest : all.filter(({ username }) => username === which)
  if (found.length === 0) return err(`no static token is of ${which}, or has a digest that begins so`)
  if (found.length > 1) return err(`${found.length} static tokens are of ${which}: give the digest, as list prints it`)
  return ok({ ...document, static: all.filter((one) => !found.includes(one)) })
}
