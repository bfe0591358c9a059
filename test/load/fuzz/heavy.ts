import { type Random, randomText } from '../harness/seeded-random.ts'

/** Nested deeper than any reader should follow. */
export function deepJson(random: Random): string {
  const depth = 1 + random.below(60_000)
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"spec":', '}]'],
  ])
  const inner = `${open.repeat(depth)}1${close.repeat(depth)}`
  return random.chance(0.5) ? inner : `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":${inner}}`
}

/** Around the 4 MiB that a body may have, in one of the parts where size could cost most. */
export function hugeJson(random: Random): string {
  const bytes = random.pick([64 * 1024, 512 * 1024, 1024 * 1024, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1])
  const head = '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":'
  switch (random.below(5)) {
    case 0:
      return `${head}{"token":"${'a'.repeat(bytes - head.length - 13)}"}}`
    case 1:
      return `${head}{"token":"x","audiences":[${'"a",'.repeat(bytes / 8)}"a"]}}`
    case 2:
      return ' '.repeat(bytes)
    case 3:
      return `${head}{"token":"x","n":${'9'.repeat(bytes / 2)}}}`
    default:
      return `{${Array.from({ length: 5000 }, (_, at) => `"${randomText(random, 6, 'abcdef')}${at}":1`).join(',')}}`
  }
}
