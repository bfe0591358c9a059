/** What middleware leaves for the handlers behind it (Hono's context variables). */
export interface Variables {
  /** The cluster that the caller's credential belongs to. */
  readonly cluster: string
  /** The parsed body, not yet decoded. */
  readonly body: unknown
}

/** The types of this app for Hono. */
export interface AppEnv {
  readonly Variables: Variables
}
