import { type Random, randomText } from '../harness/seeded-random.ts'
import type { StandInAnswer } from '../harness/serve-loopback.ts'
import { hostileText } from './hostile-text.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { writeMutated } from './mutate-json.ts'

/** An answer of Keystone's. */
export interface HostileAnswer extends StandInAnswer {
  /** The id that the body gives its user, as any reader of JSON would understand it. */
  readonly userId?: unknown
}

/** An answer to `GET /auth/tokens`: a real one with hostile names, and often with something else wrong. */
export function makeTokenAnswer(random: Random): HostileAnswer {
  const id = (): string => (random.chance(0.8) ? randomText(random, 32, '0123456789abcde') : hostileText(random))
  const domain = () => ({ id: random.chance(0.7) ? 'default' : id(), name: hostileName(random) })
  const value = {
    token: {
      methods: ['password'],
      user: { domain: domain(), id: id(), name: hostileName(random), password_expires_at: null },
      audit_ids: [hostileText(random)],
      expires_at: hostileTime(random),
      issued_at: '2026-01-01T00:00:00.000000Z',
      project: { domain: domain(), id: id(), name: hostileName(random) },
      is_domain: false,
      roles: [{ id: id(), name: random.pick(['member', 'member', 'reader', hostileName(random)]) }],
    },
  }
  return toAnswer(value, random)
}

/** An answer to `GET /users/{id}/groups`; one in 300 has 10,000 groups. */
export function makeGroupsAnswer(random: Random): HostileAnswer {
  const count = random.chance(1 / 300) ? 10_000 : random.below(6)
  const groups = Array.from({ length: count }, (_, index) => ({
    id: random.chance(0.8) ? `${index}`.padStart(32, '0') : hostileText(random),
    name: random.chance(0.3) ? random.pick(['developers', `group-${index}`]) : hostileName(random),
    domain_id: random.chance(0.8) ? 'default' : hostileText(random),
  }))
  return toAnswer({ groups, links: { next: null, self: 'x', previous: null } }, random)
}

function toAnswer(value: unknown, random: Random): HostileAnswer {
  const rate = random.pick([0, 0, 0, 0.03, 0.1])
  const text = rate === 0 ? JSON.stringify(value) : writeMutated(value, { random, rate })
  const body = random.chance(0.05) ? mutateBytes(Buffer.from(text), random) : text
  const status = random.chance(0.95) ? 200 : random.pick([201, 204, 302, 400, 401, 403, 404, 410, 418, 429, 500])
  const headers = random.chance(0.03) ? { 'X-Subject-Token': 'another' } : {}
  return { status, headers, body: status === 204 ? '' : body, userId: readUserId(body) }
}

function readUserId(body: string | Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(Buffer.from(body))).token.user.id
  } catch {
    return undefined
  }
}

function hostileName(random: Random): string {
  if (random.chance(0.002)) return randomText(random, 1, 'abc').repeat(1024 * 1024)
  return random.chance(0.4) ? random.pick(['alice', 'demo', 'team-a', 'developers']) : hostileText(random)
}

function hostileTime(random: Random): unknown {
  if (random.chance(0.85)) return '2099-01-01T00:00:00.000000Z'
  return random.pick([
    '1999-12-31T23:59:59.000000Z',
    '2099-13-01T00:00:00.000000Z',
    '2099-02-30T00:00:00Z',
    '2099-01-01T25:00:00Z',
    '2099-01-01 00:00:00',
    '2099-01-01T00:00:00+00:00',
    '+275760-09-13T00:00:00Z',
    '9999-12-31T23:59:59.999999Z',
    4_070_908_800,
    '4070908800',
    '',
    null,
    'tomorrow',
    [],
  ])
}
