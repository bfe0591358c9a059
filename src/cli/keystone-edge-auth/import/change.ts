/** What means something else than before, or was left out: where in the imported file, and what to do about it. */
export interface Change {
  /** A path in the policy, the sync configuration or the token file. */
  readonly path: string
  readonly message: string
}

/** A document that was made of a part of the file. */
export interface Imported {
  /** The name of the file to write. */
  readonly name: 'policy.json' | 'mapping.json' | 'sync.json' | 'authenticators.json'
  readonly document: unknown
}

/** What one part of the file becomes. */
export interface ImportResult {
  readonly documents: readonly Imported[]
  readonly changes: readonly Change[]
}
