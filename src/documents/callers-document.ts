import { type Callers, parseCallers } from './callers.ts'
import { ofJson } from './document-text.ts'
import { type DocumentDeps, LiveDocument } from './live-document.ts'

/** The document `callers` in this isolate, together with the secret `CALLERS`. */
export class CallersDocument extends LiveDocument<Callers> {
  readonly #secret: Callers

  constructor(secret: Callers, deps: DocumentDeps) {
    const parse = ofJson((document) => parseCallers(document, secret))
    super('callers', parse, deps)
    this.#secret = secret
  }

  /** The callers of document and secret; the same object as long as nothing changes. */
  inForce(): Callers {
    return this.state.value ?? this.#secret
  }
}
