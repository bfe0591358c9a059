import type { ExecutionCtx } from '../lib/clock.ts'
import { type Callers, parseCallers } from './callers.ts'
import type { DocumentState } from './document-state.ts'
import { ofJson } from './document-text.ts'
import { type DocumentDeps, LiveDocument } from './live-document.ts'

/** The document `callers` in this isolate, together with the secret `CALLERS`. */
export class CallersDocument {
  readonly #secret: Callers
  readonly #document: LiveDocument<Callers>

  constructor(secret: Callers, deps: DocumentDeps) {
    this.#secret = secret
    this.#document = new LiveDocument(
      'callers',
      ofJson((document) => parseCallers(document, secret)),
      deps,
    )
  }

  /** See `LiveDocument.refresh`. */
  refresh(ctx: ExecutionCtx): Promise<void> | undefined {
    return this.#document.refresh(ctx)
  }

  /** The callers of document and secret; the same object as long as nothing changes. */
  inForce(): Callers {
    return this.#document.state.value ?? this.#secret
  }

  get state(): DocumentState<Callers> {
    return this.#document.state
  }
}
