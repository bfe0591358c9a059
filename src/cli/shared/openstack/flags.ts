import { UsageError } from '../usage-error.ts'
import { OPTIONS, type OptionName, SECRETS } from './options.ts'
import type { Setting, Settings } from './settings.ts'

/** Flags that take no value, and flags whose value is no setting of OpenStack. */
export interface FlagNames {
  readonly booleans: readonly string[]
  readonly values: readonly string[]
  /** Accepted with a value, and ignored: the logging flags of the Go program. */
  readonly ignored: readonly string[]
}

export interface ParsedFlags {
  readonly settings: Settings
  readonly booleans: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly positionals: readonly string[]
  /** The flags that hold a secret: every user of the machine can read the command line. */
  readonly secrets: readonly string[]
}

const OPTION_OF_FLAG: ReadonlyMap<string, OptionName> = new Map(
  OPTIONS.flatMap(({ name, flags }) => flags.map((flag) => [flag, name] as const)),
)

/**
 * Reads flags as the Go program does (pflag): `--name value`, `--name=value`, a value may begin with a dash, `_` is
 * `-`, the last one counts. `insecure` needs no value. Errors never repeat a value: it could be a secret.
 * @throws UsageError for a flag that does not exist, or one without its value
 */
export function parseFlags(argv: readonly string[], names: FlagNames): ParsedFlags {
  const settings = new Map<OptionName, Setting>()
  const booleans = new Set<string>()
  const values = new Map<string, string>()
  const positionals: string[] = []
  const secrets: string[] = []
  const rest = [...argv]
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') {
      positionals.push(...rest)
      break
    }
    if (!/^-./.test(argument)) {
      positionals.push(argument)
      continue
    }
    const { flag, inline } = split(argument)
    const option = OPTION_OF_FLAG.get(flag)
    if (names.booleans.includes(flag) || option === 'insecure') {
      const on = inline === undefined || inline === 'true' || inline === '1'
      if (option === 'insecure') settings.set(option, { value: String(on), origin: { kind: 'flag', flag } })
      else if (on) booleans.add(flag)
      continue
    }
    if (option === undefined && !names.values.includes(flag) && !names.ignored.includes(flag))
      // After one dash the rest may be a value: `-pSECRET`.
      throw new UsageError(
        `there is no flag ${/^--/.test(argument) ? `--${flag}` : argument.slice(0, 2)}: --help lists them`,
      )
    const value = inline ?? rest.shift()
    if (value === undefined) throw new UsageError(`flag --${flag} needs a value`)
    if (option === undefined) values.set(flag, value)
    else settings.set(option, { value, origin: { kind: 'flag', flag } })
    if (option !== undefined && SECRETS.has(option) && value !== '') secrets.push(flag)
  }
  return { settings, booleans, values, positionals, secrets }
}

/** `-v4` and `-v=4` are the Go program's log level, `-h` and `-o json` other short flags. */
function split(argument: string): { flag: string; inline: string | undefined } {
  const short = /^-(v)=?(\d+)$/.exec(argument)
  if (short) return { flag: 'v', inline: short[2] }
  const name = argument.replace(/^--?/, '')
  const equals = name.indexOf('=')
  const flag = equals === -1 ? name : name.slice(0, equals)
  return { flag: flag.replaceAll('_', '-'), inline: equals === -1 ? undefined : name.slice(equals + 1) }
}
