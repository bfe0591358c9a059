import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { readConfiguration } from '../../../src/settings.ts'
import { CACHE_KEY, KEYSTONE_URL } from '../../support/webhook.ts'
import { ACTS, COLUMNS, secondsOf } from './documented.ts'

describe('docs/revocation.md', () => {
  it.each([...ACTS])('%s: each sum is that of its terms', (_act, { terms, worst }) => {
    for (const column of COLUMNS) {
      const sum = terms.reduce((seconds, term) => seconds + secondsOf(term, column), 0)
      expect(`${column} ${worst[column]}`).toBe(`${column} ${sum}`)
    }
  })

  it("gives the Worker's own defaults", () => {
    const CACHE_KEYS = JSON.stringify([CACHE_KEY])
    const { settings } = readConfiguration({ KEYSTONE_URL, CACHE_KEYS, CONFIG: env.CONFIG, CACHE: env.CACHE })
    expect(settings).toMatchObject({
      value: {
        identityTtlSeconds: secondsOf('identity', 'defaults'),
        staleIfErrorSeconds: secondsOf('stale', 'defaults'),
      },
    })
  })
})
