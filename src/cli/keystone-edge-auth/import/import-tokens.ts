import { createHash } from 'node:crypto'
import { parseAuthenticators } from '../../../mapping/authenticators.ts'
import { looksLikeSystemName } from '../../../mapping/names.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { Change, ImportResult } from './change.ts'

interface StaticEntry {
  readonly token: string
  readonly username: string
  readonly uid?: string
  readonly groups?: readonly string[]
}

/**
 * Imports kube-apiserver's static token file: `token,user,uid,"group1,group2"` a line. The document holds the SHA-256
 * of each token, and no message repeats a token.
 */
export function importTokens(text: string): ImportResult {
  const changes: Change[] = []
  const byToken = new Map<string, StaticEntry>()
  const systemGroups = new Set<string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const path = `line ${index + 1}`
    const fields = parseLine(line)
    const [token = '', username = '', uid = '', groupList = ''] = fields ?? []
    if (fields === undefined || fields.length < 3 || token === '')
      throw new CommandError(EXIT.fault, `${path}: expected token,user,uid,"group1,group2"`)
    const groups = groupList
      .split(',')
      .map((group) => group.trim())
      .filter((group) => group !== '')
    const entry: StaticEntry = {
      token: `sha256:${createHash('sha256').update(token).digest('hex')}`,
      username,
      ...(uid !== '' && { uid }),
      ...(groups.length > 0 && { groups }),
    }
    const system = groups.filter(looksLikeSystemName)
    const parsed = parseAuthenticators({ static: [entry], 'system-groups': system }, '')
    if (!parsed.ok) {
      for (const fault of parsed.error) changes.push({ path, message: `${fault.message}: the token is left out` })
      continue
    }
    if (byToken.has(entry.token)) changes.push({ path, message: 'repeats a token; as there, the last line counts' })
    for (const group of system) {
      systemGroups.add(group)
      changes.push({ path, message: `gives ${group} as before, and system-groups lists it for that` })
    }
    byToken.set(entry.token, entry)
  }
  const document = {
    static: [...byToken.values()],
    ...(systemGroups.size > 0 && { 'system-groups': [...systemGroups].sort() }),
  }
  return { documents: [{ name: 'authenticators.json', document }], changes }
}

/** The fields of a line of CSV (RFC 4180): quotes around a field, doubled inside of one. */
function parseLine(line: string): string[] | undefined {
  const fields: string[] = []
  let rest = line
  for (;;) {
    const match = /^\s*"((?:[^"]|"")*)"\s*(,|$)|^([^",]*)(,|$)/.exec(rest)
    if (match === null) return undefined
    fields.push((match[1]?.replaceAll('""', '"') ?? match[3] ?? '').trim())
    rest = rest.slice(match[0].length)
    if ((match[2] ?? match[4]) === '') return fields
  }
}
