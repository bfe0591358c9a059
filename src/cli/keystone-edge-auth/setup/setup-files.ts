import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { digestOf, makeToken } from '../credentials/new-token.ts'
import { confirm } from '../prompts.ts'
import { readToken } from '../read-token.ts'
import type { Answers } from './answers.ts'
import { readVar, setVar } from './wrangler-toml.ts'

/** A file of the set-up, and what is to happen to it. */
interface PlannedFile {
  readonly path: string
  readonly change: 'made' | 'changed' | 'kept'
  readonly text: string
  readonly secret: boolean
}

export interface FilePlan {
  readonly files: readonly PlannedFile[]
  /** JSON, the value of the secret CACHE_KEYS. */
  readonly cacheKeys: string
  /** `sha256:` of the caller's token. */
  readonly credential: string
}

export interface FileFlags {
  readonly local: boolean
  readonly callerTokenFile: string
  readonly yes: boolean
}

const MAX_BYTES = 1024 * 1024

/**
 * What the set-up writes: secrets that are there are kept, and a setting that has another value is changed after a
 * question. Writes nothing.
 */
export async function planFiles(context: CommandContext, answers: Answers, flags: FileFlags): Promise<FilePlan> {
  const { callerTokenFile } = flags
  const read = async (path: string): Promise<string | undefined> =>
    (await context.files.exists(path)) ? new TextDecoder().decode(await context.files.read(path, MAX_BYTES)) : undefined
  const keep = (path: string, there: string | undefined, make: () => string, secret = true): PlannedFile =>
    there === undefined ? { path, change: 'made', text: make(), secret } : { path, change: 'kept', text: there, secret }
  const there = (await context.files.exists(callerTokenFile)) ? await readToken(context, callerTokenFile) : undefined
  const token = keep(callerTokenFile, there, () => makeToken(context).token)
  const keys = keep('cache-keys', await read('cache-keys'), () => makeCacheKeys(context))
  checkCacheKeys(keys.text)
  const mapping = keep('mapping.json', await read('mapping.json'), () => '{}\n', false)
  const settings = flags.local
    ? await planDevVars(context, answers, {
        cacheKeys: keys.text.trim(),
        before: await read('.dev.vars'),
        yes: flags.yes,
      })
    : await planWranglerToml(context, answers, { before: await read('wrangler.toml'), yes: flags.yes })
  return { files: [settings, keys, token, mapping], cacheKeys: keys.text.trim(), credential: digestOf(token.text) }
}

/** Writes what changes, each file in one step, and gives the paths. */
export async function writeFiles(context: CommandContext, { files }: FilePlan): Promise<string[]> {
  const written: string[] = []
  for (const { path, change, text, secret } of files) {
    if (change === 'kept') continue
    await context.files.write(path, text, { secret })
    written.push(path)
  }
  return written
}

/** A JSON list of one key of 32 random bytes (contract, `CACHE_KEYS`). */
function makeCacheKeys(context: CommandContext): string {
  return JSON.stringify([Buffer.from(context.randomBytes(32)).toString('base64')])
}

function checkCacheKeys(text: string): void {
  if (/^\s*\[\s*"[A-Za-z0-9+/]{43}="(?:\s*,\s*"[A-Za-z0-9+/]{43}=")*\s*\]\s*$/.test(text)) return
  throw new CommandError(EXIT.fault, 'cache-keys holds no list of base64 32-byte keys', 'remove it, or correct it')
}

interface Before {
  readonly before: string | undefined
  readonly yes: boolean
}

async function planWranglerToml(
  context: CommandContext,
  answers: Answers,
  { before, yes }: Before,
): Promise<PlannedFile> {
  const path = 'wrangler.toml'
  if (before === undefined)
    throw usageError('there is no wrangler.toml here', 'run this in the directory of this repository')
  const wanted = Object.entries(varsOf(answers)).filter(
    ([name, value]) => (readVar(before, name) ?? DEFAULTS[name]) !== value,
  )
  if (wanted.length === 0) return { path, change: 'kept', text: before, secret: false }
  for (const [name, value] of wanted) {
    const old = readVar(before, name) ?? ''
    if (old !== '') await confirm(context, `Change ${name} of ${path} from ${old} to ${value}?`, yes)
  }
  const text = wanted.reduce((toml, [name, value]) => setVar(toml, name, value), before)
  return { path, change: 'changed', text, secret: false }
}

async function planDevVars(
  context: CommandContext,
  answers: Answers,
  { before, yes, cacheKeys }: Before & { readonly cacheKeys: string },
): Promise<PlannedFile> {
  const path = '.dev.vars'
  const lines = Object.entries({ ...varsOf(answers), CACHE_KEYS: cacheKeys }).map(
    ([name, value]) => `${name}='${value}'`,
  )
  const text = `${lines.join('\n')}\n`
  if (before === text) return { path, change: 'kept', text, secret: true }
  if (before !== undefined) await confirm(context, `Replace ${path}, which has other settings?`, yes)
  return { path, change: before === undefined ? 'made' : 'changed', text, secret: true }
}

const DEFAULTS: Readonly<Record<string, string>> = { HOME_DOMAIN: 'default' }

function varsOf({ keystoneUrl, homeDomain }: Answers): Readonly<Record<string, string>> {
  return { KEYSTONE_URL: keystoneUrl, HOME_DOMAIN: homeDomain }
}
