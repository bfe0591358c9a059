import { isKeystoneId } from '../../../keystone/ids.ts'
import { usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note } from '../output.ts'
import { askForText, confirmOverwrite } from '../prompts.ts'
import { MAPPING_PRESETS } from './mapping-presets.ts'
import { PLACEHOLDER, POLICY_PRESETS } from './policy-presets.ts'

export interface InitFlags {
  readonly preset: 'magnum' | 'rbac-only' | 'readers'
  readonly projectId?: string
  readonly out?: string
  readonly yes: boolean
  readonly output: 'text' | 'json'
}

/** Runs `mapping init` or `policy init`: prints or writes a first document. */
export function createInit(kind: 'mapping' | 'policy') {
  return async function init(this: CommandContext, flags: InitFlags): Promise<void> {
    const text = JSON.stringify(
      kind === 'mapping' ? MAPPING_PRESETS[flags.preset] : POLICY_PRESETS[flags.preset],
      null,
      2,
    )
    const document = text.includes(PLACEHOLDER) ? await fillIn(this, text, flags.projectId) : text
    if (flags.out === undefined) {
      this.process.stdout.write(`${document}\n`)
      return
    }
    await confirmOverwrite(this, [flags.out], flags.yes)
    await this.files.write(flags.out, `${document}\n`)
    note(this, `wrote ${flags.out}`)
  }
}

/** The document for a project. Until its id is known the document grants nothing. */
async function fillIn(context: CommandContext, text: string, projectId: string | undefined): Promise<string> {
  const id =
    projectId ?? (context.canAsk ? await askForText(context, 'The id of the project of the cluster?') : undefined)
  if (id === undefined) {
    note(
      context,
      `Replace ${PLACEHOLDER} by the id of the project, or give --project-id: until then nothing is granted.`,
    )
    return text
  }
  if (!isKeystoneId(id))
    throw usageError('the id of the project is none', 'openstack project show -f value -c id NAME prints it')
  return text.replaceAll(PLACEHOLDER, id)
}
