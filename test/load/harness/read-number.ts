/** Which numbers an option takes. */
interface NumberRange {
  readonly min: number
  readonly max: number
  /** Whether fractions are taken; whole numbers only when absent. */
  readonly fractions?: boolean
}

/** Reads the number of an option or variable. @throws Error that names the option and the range */
export function readNumber(option: string, text: string, { min, max, fractions = false }: NumberRange): number {
  const pattern = fractions ? /^\d+(\.\d+)?$/ : /^\d+$/
  const number = Number(text)
  if (pattern.test(text) && number >= min && number <= max) return number
  throw new Error(`${option}=${text}: expected a ${fractions ? 'number' : 'whole number'} from ${min} to ${max}`)
}
