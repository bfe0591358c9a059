import { join } from 'node:path'
import { isKeystoneId } from '../../../keystone/ids.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { createPaint, note, printJson, printLines } from '../output.ts'
import { askForText, confirmOverwrite } from '../prompts.ts'
import { readText } from '../source/read-source.ts'
import type { Change, ImportResult } from './change.ts'
import { importPolicy, needsProjectId } from './import-policy.ts'
import { importSync } from './import-sync.ts'
import { importTokens } from './import-tokens.ts'
import { type Part, readInput } from './read-input.ts'

/** What a document may have at most. */
const MAX_CHARACTERS = 4 * 1024 * 1024

export interface ImportFlags {
  readonly out: string
  readonly output: 'text' | 'json'
  readonly homeDomain: string
  readonly projectId?: string
  readonly yes: boolean
}

/** Runs `import FILE`: writes the documents that the file holds, and says what means something else than before. */
export default async function runImport(this: CommandContext, flags: ImportFlags, file: string): Promise<void> {
  if (flags.out === '') throw usageError('the name of the directory (--out) is empty')
  const parts = readInput(file, await readText(this, file))
  refuseSeveral(parts)
  const projectId = flags.projectId ?? (await askForProjectId(this, parts))
  if (projectId !== undefined && !isKeystoneId(projectId))
    throw usageError('the id of the project is none', 'openstack project show -f value -c id NAME prints it')
  const results = parts.map((part) => importPart(part, flags.homeDomain, projectId))
  const changes = results.flatMap((result) => result.changes)
  const documents = results.flatMap((result) => result.documents)
  const drafts = documents.map(({ name, document }) => ({
    path: join(flags.out, name),
    text: toText(document),
  }))
  await confirmOverwrite(
    this,
    drafts.map(({ path }) => path),
    flags.yes,
  )
  await this.files.makeDirectory(flags.out)
  for (const { path, text } of drafts) await this.files.write(path, text)
  const files = drafts.map(({ path }) => path)
  if (flags.output === 'json') printJson(this, { files, changes })
  else report(this, files, changes)
}

/** On several lines, unless line breaks and spaces alone would make it too large for the Worker. */
function toText(document: unknown): string {
  const lines = `${JSON.stringify(document, null, 2)}\n`
  return lines.length <= MAX_CHARACTERS ? lines : `${JSON.stringify(document)}\n`
}

/** Two policies cannot become one document: their union would grant each cluster what the other one grants. */
function refuseSeveral(parts: readonly Part[]): void {
  for (const kind of ['policy', 'sync', 'tokens'] as const) {
    const found = parts.filter((part) => part.kind === kind)
    if (found.length <= 1) continue
    const origins = found.map(({ origin }) => origin).join('; ')
    throw new CommandError(
      EXIT.fault,
      `the file holds several of one kind (${kind}): ${origins}`,
      'import one at a time',
    )
  }
}

async function askForProjectId(context: CommandContext, parts: readonly Part[]): Promise<string | undefined> {
  const isNeeded = parts.some((part) => part.kind === 'policy' && needsProjectId(part.value))
  if (!isNeeded || !context.canAsk) return undefined
  return askForText(context, 'The policy has $PROJECT_ID in it. The id of the project of the cluster?')
}

function importPart(part: Part, homeDomain: string, projectId: string | undefined): ImportResult {
  switch (part.kind) {
    case 'tokens':
      return importTokens(part.text)
    case 'policy': {
      const { documents, changes } = importPolicy(part.value, { homeDomain, projectId })
      return { documents, changes: [...part.changes, ...changes] }
    }
    case 'sync': {
      const { documents, changes } = importSync(part.value, homeDomain)
      return { documents, changes: [...part.changes, ...changes] }
    }
  }
}

function report(context: CommandContext, files: readonly string[], changes: readonly Change[]): void {
  const paint = createPaint(context)
  printLines(
    context,
    files.map((file) => `${paint('green', 'wrote')} ${file}`),
  )
  if (changes.length === 0) {
    note(context, 'Nothing means anything else than before.')
    return
  }
  printLines(context, [
    '',
    'What means something else than before, or was left out:',
    ...changes.map(({ path, message }) => `  ${paint('yellow', path === '' ? 'the whole' : path)}: ${message}`),
  ])
}
