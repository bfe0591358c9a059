import { type Random, randomBytes } from '../harness/seeded-random.ts'

type Mutation = (bytes: Buffer, random: Random) => Buffer

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  (bytes, random) => flipBit(bytes, random),
  (bytes, random) => flipBit(bytes, random),
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), 0, randomBytes(random, 1 + random.below(4))),
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), 1 + random.below(8), Buffer.alloc(0)),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.below(bytes.length + 1)),
  (bytes, random) => repeatPart(bytes, random),
  (bytes) => Buffer.concat([Buffer.from('efbbbf', 'hex'), bytes]),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes) => Buffer.from(bytes.toString('utf8'), 'utf16le'),
  (bytes) => Buffer.concat([Buffer.from('fffe', 'hex'), Buffer.from(bytes.toString('utf8'), 'utf16le')]),
  (bytes) => Buffer.concat([bytes, Buffer.from([0])]),
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), 0, random.pick(INVALID_UTF8)),
  (bytes, random) => Buffer.concat([Buffer.alloc(random.below(64), ' \t\r\n'), bytes]),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(random.below(64), '}]')]),
]

// A byte that continues nothing, an overlong slash, half a surrogate pair, a sequence cut short, beyond U+10FFFF.
const INVALID_UTF8: readonly [Buffer, ...Buffer[]] = [
  Buffer.from('80', 'hex'),
  Buffer.from('c0af', 'hex'),
  Buffer.from('eda080', 'hex'),
  Buffer.from('f09f92', 'hex'),
  Buffer.from('f4908080', 'hex'),
  Buffer.from('ff', 'hex'),
]

/** The same bytes but for one to three changes of the kinds that break careless readers. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let mutated = bytes
  for (let left = 1 + random.below(3); left > 0; left -= 1) mutated = random.pick(MUTATIONS)(mutated, random)
  return mutated
}

function flipBit(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes
  const flipped = Buffer.from(bytes)
  const at = random.below(bytes.length)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8))
  return flipped
}

function splice(bytes: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)])
}

function repeatPart(bytes: Buffer, random: Random): Buffer {
  const from = random.below(bytes.length + 1)
  const part = bytes.subarray(from, from + random.below(64))
  return splice(bytes, from, 0, Buffer.concat(Array.from({ length: 1 + random.below(8) }, () => part)))
}
