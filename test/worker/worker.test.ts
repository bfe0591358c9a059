import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import worker from '../../src/worker.ts'
import { FINGERPRINT, VERIFIED } from '../support/certificates.ts'
import { CACHE_KEY, KEYSTONE_URL, reviewBody } from '../support/webhook.ts'

const points: unknown[] = []
const bindings = {
  ...env,
  KEYSTONE_URL,
  CACHE_KEYS: JSON.stringify([CACHE_KEY]),
  CALLERS: JSON.stringify({ 'prod-1': { credentials: [`cert:${FINGERPRINT}`] } }),
  METRICS: { writeDataPoint: (point: unknown) => void points.push(point) },
}

async function send(certificate: unknown): Promise<number> {
  const context = createExecutionContext()
  const request = new Request<unknown, IncomingRequestCfProperties>('https://webhook.test/webhook', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(reviewBody('garbage')),
    cf: { tlsClientAuth: certificate } as unknown as IncomingRequestCfProperties,
  })
  const { status } = await worker.fetch(request, bindings, context)
  await waitOnExecutionContext(context)
  return status
}

describe('the entry', () => {
  it('takes certificates, logs refused callers and reviews, and counts both', async () => {
    const lines: Record<string, unknown>[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(JSON.parse(line)))
    const statuses = [await send(VERIFIED), await send({ ...VERIFIED, certRevoked: '1' })]
    log.mockRestore()
    expect(statuses).toEqual([200, 401])
    expect(lines.map(({ event, reason, cluster }) => [event, reason, cluster])).toEqual([
      ['review', expect.any(String), 'prod-1'],
      ['caller', 'certificate_revoked', 'prod-1'],
    ])
    expect(points).toMatchObject([
      { indexes: ['prod-1'] },
      { indexes: ['prod-1'], blobs: ['caller', '', 'refused', lines[1]?.reason, ''] },
    ])
  })
})
