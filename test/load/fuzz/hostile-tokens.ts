import { type Random, randomText } from '../harness/seeded-random.ts'
import { fernetShaped } from '../harness/token-shapes.ts'
import { hostileText } from './hostile-text.ts'
import type { World } from './world.ts'

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Letters of other scripts that look like these. */
const LOOK_ALIKES: Readonly<Record<string, string>> = { A: 'А', B: 'В', a: 'а', e: 'е', o: 'о', p: 'р', c: 'с', x: 'х' }

type Derive = (token: string, random: Random, other: string) => string

const DERIVATIONS: readonly [Derive, ...Derive[]] = [
  flipBit,
  flipBit,
  replaceOne,
  replaceOne,
  (token, random) => token.slice(0, random.below(token.length)),
  (token, random) => token.slice(random.below(token.length)),
  (token) => token.slice(0, -1),
  (token) => token + token,
  (token) => token.toUpperCase(),
  (token) => token.toLowerCase(),
  (token) => token.replace(/=+$/, ''),
  (token, random) => token + '='.repeat(1 + random.below(4)),
  (token) => token.replaceAll('-', '+').replaceAll('_', '/'),
  (token, random) => random.pick([' ', '\n', '\t', '\u00a0', '\ufeff']) + token,
  (token, random) => token + random.pick([' ', '\n', '\0', '%00', '\u200b', ',', ';']),
  (token) => `Bearer ${token}`,
  (token) => encodeURIComponent(`${token}=`),
  (token) => [...token].map((letter) => LOOK_ALIKES[letter] ?? letter).join(''),
  (token, random) => withOneLookAlike(token, random),
  (token, random, other) => splice(token, other, random.below(token.length)),
  (token, _random, other) => `${token}.${other}`,
  (token) => Buffer.from(token).toString('base64url'),
  (token) => [...token].reverse().join(''),
]

/** A token under review: valid, made from valid ones, shaped like one, or nothing of the kind. */
export function anyToken(random: Random, world: World): string {
  const kind = random.next()
  const valid = random.pick(world.tokens)
  if (kind < 0.2) return valid
  if (kind < 0.3) return random.pick(world.deadTokens)
  if (kind < 0.7) {
    const base = random.chance(0.8) ? valid : random.pick(world.deadTokens)
    return random.pick(DERIVATIONS)(base, random, random.pick(world.tokens))
  }
  return garbageToken(random)
}

/** A token that Keystone did not issue. */
function garbageToken(random: Random): string {
  switch (random.below(9)) {
    case 0:
      return fernetShaped(random)
    case 1:
      return jwsShaped(random)
    case 2:
      return randomText(random, random.pick([31, 32, 33, 64]), '0123456789abcdef')
    case 3:
      return randomText(random, random.below(300), BASE64URL)
    case 4:
      // The form of HTTP Basic, which is off here.
      return `${hostileText(random)}:${random.chance(0.5) ? hostileText(random) : fernetShaped(random)}`
    case 5:
      return randomText(random, random.pick([16_384, 16_385, 17_000, 8_193]), 'a')
    default:
      return hostileText(random)
  }
}

function jwsShaped(random: Random): string {
  const claims = { sub: 'a'.repeat(32), iat: 1, exp: 4e9, ...(random.chance(0.3) && { [hostileText(random)]: 1 }) }
  const header = { alg: random.pick(['ES256', 'none', 'HS256']), typ: 'JWT' }
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encode(header)}.${encode(claims)}.${randomText(random, random.pick([86, 85, 0]), BASE64URL)}`
}

function flipBit(token: string, random: Random): string {
  const at = random.below(token.length)
  return replaceAt(token, at, String.fromCharCode(token.charCodeAt(at) ^ (1 << random.below(7))))
}

function replaceOne(token: string, random: Random): string {
  return replaceAt(token, random.below(token.length), randomText(random, 1, BASE64URL))
}

function withOneLookAlike(token: string, random: Random): string {
  const at = random.below(token.length)
  return replaceAt(token, at, LOOK_ALIKES[token[at] ?? ''] ?? '\uff41')
}

function splice(token: string, other: string, at: number): string {
  return token.slice(0, at) + other.slice(at)
}

function replaceAt(text: string, at: number, replacement: string): string {
  return text.slice(0, at) + replacement + text.slice(at + 1)
}
