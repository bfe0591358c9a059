import type { Random } from '../harness/seeded-random.ts'
import { hostileText, hostileValue } from './hostile-text.ts'

/** How likely each part of a document is changed. */
interface MutateOptions {
  readonly random: Random
  readonly rate: number
}

/**
 * A JSON text much like the value's: at each value and with the given rate something is left out, retyped, renamed,
 * doubled (as a key that the text holds twice, too), moved one level down or up, or written as no JSON value should be.
 */
export function writeMutated(value: unknown, options: MutateOptions): string {
  const { random, rate } = options
  if (random.chance(rate)) return writeInstead(value, options)
  if (Array.isArray(value)) return `[${mutateList(value, options).join(',')}]`
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).flatMap(writeMember).join(',')}}`
  return JSON.stringify(value) ?? 'null'

  function writeMember([key, member]: [string, unknown]): string[] {
    const written = `${JSON.stringify(key)}:${writeMutated(member, options)}`
    if (!random.chance(rate)) return [written]
    switch (random.below(6)) {
      case 0:
        return []
      case 1:
        return [written, `${JSON.stringify(key)}:${JSON.stringify(hostileValue(random))}`]
      case 2:
        return [`${JSON.stringify(key)}:${JSON.stringify(hostileValue(random))}`, written]
      case 3:
        return [`${JSON.stringify(renamed(key, random))}:${writeMutated(member, options)}`]
      case 4:
        return [written, `${JSON.stringify(hostileText(random))}:${JSON.stringify(hostileValue(random))}`]
      default:
        return [`"__proto__":{${written}}`]
    }
  }
}

function mutateList(list: readonly unknown[], options: MutateOptions): string[] {
  const { random, rate } = options
  const written = list.map((item) => writeMutated(item, options))
  if (!random.chance(rate)) return written
  const extra = JSON.stringify(hostileValue(random))
  return random.pick([[...written, ...written], [...written, extra], written.slice(1), [`[${written.join(',')}]`]])
}

function writeInstead(value: unknown, { random }: MutateOptions): string {
  const text = JSON.stringify(value) ?? 'null'
  switch (random.below(8)) {
    case 0:
      return `[${text}]`
    case 1:
      return JSON.stringify(text)
    case 2:
      return random.pick(['1e999', '-0', '123456789012345678901234567890', '1E400', '0.1e-999', '-1'])
    case 3:
      return random.pick(['NaN', 'undefined', '01', '+1', '.5', '"\\ud800"', '"\\u0000"', '"\\x41"', "'a'", '// x', ''])
    case 4:
      return `{"toJSON":${text},"__proto__":${text}}`
    case 5:
      return `${text},`
    default:
      return JSON.stringify(hostileValue(random))
  }
}

function renamed(key: string, random: Random): string {
  return random.pick([
    key.toUpperCase(),
    key.slice(1),
    `${key} `,
    `${key}\u200b`,
    '__proto__',
    'constructor',
    hostileText(random),
  ])
}
