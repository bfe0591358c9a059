import type { ConfigNamespace } from '../../../src/documents/live-document.ts'

/** `CONFIG` as one far location of Cloudflare sees it: late, and from a cache, both by the test's clock. */
export interface LaggingConfig {
  readonly namespace: ConfigNamespace
  put(key: string, document: unknown): void
}

/** What is there at the start has been there for ever; what is put later is seen `propagationMs` after that. */
export function createLaggingConfig(
  now: () => number,
  propagationMs: number,
  documents: Readonly<Record<string, unknown>>,
): LaggingConfig {
  const versions = Object.entries(documents).map(([key, document]) => ({
    key,
    atMs: 0,
    text: JSON.stringify(document),
  }))
  const edge = new Map<string, { text: string | null; untilMs: number }>()

  async function get(key: string, { cacheTtl }: { cacheTtl: number }): Promise<string | null> {
    const hit = edge.get(key)
    if (hit !== undefined && now() < hit.untilMs) return hit.text
    const seen = versions.findLast((version) => version.key === key && version.atMs + propagationMs <= now())
    const text = seen?.text ?? null
    // Absence is cached as well.
    edge.set(key, { text, untilMs: now() + cacheTtl * 1000 })
    return text
  }

  return {
    namespace: { get } as unknown as ConfigNamespace,
    put: (key, document) => void versions.push({ key, atMs: now(), text: JSON.stringify(document) }),
  }
}
