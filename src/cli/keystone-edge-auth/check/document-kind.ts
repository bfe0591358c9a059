/** A document of administrators that a command line can check. */
export type DocumentKind = 'mapping' | 'policy' | 'authenticators' | 'callers'
