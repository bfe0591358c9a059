import { type Random, randomText } from '../harness/seeded-random.ts'

const PIECES = [
  '',
  ' ',
  'a',
  'alice',
  'default',
  'demo',
  'member',
  'admins',
  'platform-admins',
  'system:',
  'system:masters',
  'SYSTEM:masters',
  'ＳＹＳＴＥＭ：masters',
  'ſystem:masters',
  '@default',
  `@${'d'.repeat(32)}`,
  '0'.repeat(32),
  'f'.repeat(64),
  '\0',
  '\r\n',
  '\r\nX-Injected: 1',
  '\t',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  '\u00ad',
  '\u200b',
  '\u202e',
  '\u2028',
  '\u2066',
  '\ufeff',
  '\ufffe',
  '\u{e0001}',
  '\u3164',
  '\ud800',
  '\udfff',
  '💥',
  'İ',
  'é',
  '/',
  '..',
  '../..',
  '/../auth/tokens',
  '.',
  '%2e%2e',
  '%2F',
  '%00',
  '?x=1',
  '#x',
  '\\',
  '"',
  "'",
  '{',
  '}',
  '{user.name}',
  ':',
  '-',
  '*',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'true',
  '0',
  '-1',
  '1e999',
] as const
const ANY = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code)).join('')

/** A text of pieces that have a meaning in some reader, joined at random. */
export function hostileText(random: Random): string {
  if (random.chance(0.15)) return randomText(random, random.below(12), ANY)
  return Array.from({ length: 1 + random.below(3) }, () => random.pick(PIECES)).join('')
}

/** Any JSON value: of the wrong type, wherever it stands. */
export function hostileValue(random: Random, depth = 3): unknown {
  const kinds = depth === 0 ? 6 : 8
  switch (random.below(kinds)) {
    case 0:
      return null
    case 1:
      return random.chance(0.5)
    case 2:
      return random.pick([0, -0, -1, 1, 2 ** 53, 1e308, -1e-320, 0.1])
    case 6:
      return Array.from({ length: random.below(4) }, () => hostileValue(random, depth - 1))
    case 7:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [hostileText(random), hostileValue(random, depth - 1)]),
      )
    default:
      return hostileText(random)
  }
}
