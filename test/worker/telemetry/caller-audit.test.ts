import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CallerReason, createCallerAudit } from '../../../src/telemetry/caller-audit.ts'
import { FINGERPRINT, OTHER_FINGERPRINT, presenting, VERIFIED } from '../../support/certificates.ts'
import { createClock } from '../../support/clock.ts'
import { keystone } from '../../support/documents-stage.ts'
import { CALLER_TOKEN, createWebhook, sha256, type Webhook } from '../../support/webhook.ts'

const RAY = '0123456789abcdef-FRA'
const NO_ORIGIN = { pathCluster: undefined, address: undefined, ray: undefined }

const linesOf = (webhook: Webhook) => webhook.log.filter(({ event }) => event === 'caller')
const post = (webhook: Webhook, path: string, headers: Record<string, string>, init: RequestInit = {}) =>
  webhook.send(path, { method: 'POST', body: '{}', headers, ...init })

async function prepare(vars: Readonly<Record<string, unknown>> = {}) {
  const CALLERS = JSON.stringify({
    'prod-1': { credentials: [`sha256:${await sha256(CALLER_TOKEN)}`, `cert:${FINGERPRINT}`] },
  })
  return createWebhook({ keystone, vars: { CALLERS, ...vars } })
}

describe('a refused caller leaves a line', () => {
  const origin = { 'CF-Connecting-IP': '192.0.2.7', 'CF-Ray': RAY }
  const known = { Authorization: `Bearer ${CALLER_TOKEN}` }
  const cases: [CallerReason, Record<string, string>, RequestInit, string | undefined][] = [
    ['no_credential', {}, {}, undefined],
    ['unknown_credential', { Authorization: 'Bearer stranger' }, {}, undefined],
    ['unlisted_certificate', {}, presenting({ ...VERIFIED, certFingerprintSHA256: OTHER_FINGERPRINT }), undefined],
    ['certificate_unverified', {}, presenting({ ...VERIFIED, certVerified: 'FAILED' }), 'prod-1'],
    ['certificate_revoked', {}, presenting({ ...VERIFIED, certRevoked: '1' }), 'prod-1'],
    ['certificate_malformed', {}, presenting({ ...VERIFIED, certRevoked: '' }), undefined],
    ['wrong_cluster', known, {}, 'prod-1'],
  ]
  it.each(cases)('%s', async (reason, headers, init, cluster) => {
    const webhook = await prepare()
    await post(webhook, '/clusters/prod-7/webhook', { ...headers, ...origin }, init)
    const line = { event: 'caller', reason, pathCluster: 'prod-7', address: '192.0.2.7', ray: RAY, repeats: 0 }
    expect(linesOf(webhook)).toEqual([{ ...line, ...(cluster !== undefined && { cluster }) }])
    expect(webhook.reviews()).toEqual([])
  })

  it('no_callers, when nobody can be known', async () => {
    const webhook = await prepare({ CALLERS: '{"prod-1": "faulty"}' })
    await post(webhook, '/webhook', { Authorization: 'Bearer stranger' })
    expect(linesOf(webhook)).toEqual([{ event: 'caller', reason: 'no_callers', repeats: 0 }])
  })

  it('of /readyz too, and none when he was let in', async () => {
    const webhook = await prepare()
    await webhook.send('/readyz', { headers: { ...origin, Authorization: 'Bearer stranger' } })
    const line = { event: 'caller', reason: 'unknown_credential', address: '192.0.2.7', ray: RAY, repeats: 0 }
    expect(linesOf(webhook)).toEqual([line])
    await webhook.send('/readyz', { headers: known })
    await webhook.review('x')
    await webhook.send('/healthz')
    await post(webhook, '/nowhere', {})
    expect(linesOf(webhook)).toHaveLength(1)
  })
})

describe('the line says where a refused caller came from', () => {
  const addressOf = async (address: string) => {
    const webhook = await prepare()
    await post(webhook, '/webhook', { 'CF-Connecting-IP': address })
    return linesOf(webhook)[0]?.address
  }

  it.each(['192.0.2.7', '255.255.255.255', '::', '2001:db8::1', '2001:DB8:0:0:0:0:0:1', '::ffff:192.0.2.7'])(
    'with the address %s',
    async (address) => expect(await addressOf(address)).toBe(address),
  )

  it.each([
    '',
    '256.0.0.1',
    '192.0.2',
    '192.0.2.7.1',
    '192.0.2.7, 192.0.2.8',
    '1:2',
    '1::2::3',
    '2001:db8::g',
    '::1%eth0',
    '[::1]',
    '::1]/x[::',
    '0x7f.1',
    'example.org',
    `${'0'.repeat(50)}::1`,
    '127.0.0.1:80',
    'Bearer caller-credential',
  ])('and without what is none: %j', async (address) => expect(await addressOf(address)).toBeUndefined())

  it('with a ray id only in the form of one', async () => {
    const webhook = await prepare()
    await post(webhook, '/webhook', { 'CF-Ray': 'my-ray' })
    expect(linesOf(webhook)[0]).not.toHaveProperty('ray')
  })

  it.each([
    'Prod',
    'a_b',
    '-a',
    'a%20b',
    'x'.repeat(64),
    // Digests, ids and tokens that somebody put where the name belongs.
    'a1'.repeat(16),
    'prod-0123456789abcdef',
    'abcdefghijklmnopqrstuvwx',
  ])('without what cannot be the name of a cluster: %s', async (name) => {
    const webhook = await prepare()
    await post(webhook, `/clusters/${name}/webhook`, {})
    expect(linesOf(webhook)).toEqual([{ event: 'caller', reason: 'no_credential', repeats: 0 }])
  })

  it('never with any part of a credential', async () => {
    const sha = await sha256(CALLER_TOKEN)
    for (const secret of [CALLER_TOKEN, 'a-token', sha, sha.slice(0, 32), FINGERPRINT]) {
      const webhook = await prepare()
      for (const certificate of [VERIFIED, { ...VERIFIED, certVerified: secret }]) {
        const headers = { Authorization: `Bearer ${secret}`, 'CF-Connecting-IP': secret, 'CF-Ray': secret }
        await post(webhook, `/clusters/${secret}/webhook`, headers, presenting(certificate))
        await post(webhook, '/clusters/prod-2/webhook', headers, presenting(certificate))
      }
      expect(linesOf(webhook).length).toBeGreaterThan(0)
      const text = JSON.stringify(webhook.log)
      for (const part of [secret, sha.slice(0, 12), FINGERPRINT.slice(0, 12), 'kube-apiserver', 'FAILED']) {
        expect(text).not.toContain(part)
      }
    }
  })
})

describe('a flood of refused callers', () => {
  it('costs one line a minute and reason, with AUDIT_REPEATS_SECONDS 0 and everything varied', async () => {
    const webhook = await prepare({ AUDIT_REPEATS_SECONDS: 0 })
    let sent = 0
    for (let second = 0; second < 150; second += 1) {
      for (let each = 0; each < 8; each += 1) {
        const n = second * 8 + each
        const certFingerprintSHA256 = n.toString(16).padStart(64, '0')
        const headers = {
          'CF-Connecting-IP': `2001:db8::${n.toString(16)}`,
          'CF-Ray': n.toString(16).padStart(16, '0'),
          ...(each % 4 !== 0 && { Authorization: `Bearer token-${n}` }),
        }
        const certificate = [undefined, undefined, { ...VERIFIED, certFingerprintSHA256 }, { certPresented: '1', n }]
        await post(webhook, `/clusters/c-${n}/webhook`, headers, presenting(certificate[each % 4]))
        sent += 1
      }
      webhook.clock.advance(1000)
    }
    const lines = linesOf(webhook)
    const reasons = ['no_credential', 'unknown_credential', 'unlisted_certificate', 'certificate_malformed']
    expect(new Set(lines.map(({ reason }) => reason))).toEqual(new Set(reasons))
    for (const reason of reasons) {
      const ofReason = lines.filter((line) => line.reason === reason)
      // At 0, 60 and 120 s; what is held back since is counted by the next one.
      expect(ofReason.map(({ repeats }) => repeats)).toEqual([0, 119, 119])
    }
    expect(sent).toBe(1200)
  })

  it('is counted whole: lines and their repeats add up', () => {
    const reasons = ['no_credential', 'unknown_credential', 'wrong_cluster'] as const
    const events = fc.array(fc.tuple(fc.constantFrom(...reasons), fc.nat(2), fc.nat(90_000)), { maxLength: 60 })
    fc.assert(
      fc.property(events, (all) => {
        const clock = createClock()
        const writtenAt = new Map<string, number>()
        let counted = 0
        let measured = 0
        const audit = createCallerAudit({
          clock,
          log(line) {
            const { reason, cluster, repeats } = JSON.parse(line)
            const subject = `${reason} ${cluster}`
            const last = writtenAt.get(subject) ?? Number.NEGATIVE_INFINITY
            expect(clock.now() - last).toBeGreaterThanOrEqual(60_000)
            writtenAt.set(subject, clock.now())
            counted += 1 + repeats
          },
          measure: (_refusal, callers) => (measured += callers),
        })
        for (const [reason, cluster, pauseMs] of all) {
          audit({ reason, cluster: `c-${cluster}` }, () => NO_ORIGIN)
          clock.advance(pauseMs)
        }
        clock.advance(60_000)
        for (const reason of reasons) {
          for (const cluster of [0, 1, 2]) audit({ reason, cluster: `c-${cluster}` }, () => NO_ORIGIN)
        }
        expect([counted, measured]).toEqual([all.length + 9, all.length + 9])
      }),
    )
  })

  it('looks at the request only for a line that is written', () => {
    const clock = createClock()
    const audit = createCallerAudit({ clock, log: () => undefined })
    let looked = 0
    const readOrigin = () => {
      looked += 1
      return NO_ORIGIN
    }
    for (let times = 0; times < 100; times += 1) audit({ reason: 'no_credential' }, readOrigin)
    expect(looked).toBe(1)
  })
})
