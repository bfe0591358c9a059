import { parseCallers } from '../../../documents/callers.ts'
import { CommandError, EXIT, isCommandError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { addCaller, listCallers } from '../credentials/edit-callers.ts'
import { openTarget, unwrap } from '../credentials/edit-target.ts'
import { createConfigStore, type Place } from '../kv/config-store.ts'
import { putDocument, readStored } from '../kv/put-document.ts'
import { note } from '../output.ts'
import type { Answers } from './answers.ts'
import type { FilePlan } from './setup-files.ts'

/** Something that wrangler does for the set-up. */
export interface Step {
  /** What a person would type, with secrets over standard input. */
  readonly command: string
  run(): Promise<void>
}

/** What the steps leave behind. */
export interface Deployment {
  /** The address that wrangler shows for the Worker. */
  url?: string
}

/**
 * The steps of a first deployment, in their order: the secret, the Worker (which makes the KV namespaces), the first
 * documents. On this machine only the documents. What is there already is kept.
 */
export function planSteps(
  context: CommandContext,
  answers: Answers,
  { plan, place, deployment }: { readonly plan: FilePlan; readonly place: Place; readonly deployment: Deployment },
): readonly Step[] {
  const documents = [
    {
      command: `keystone-edge-auth caller add ${answers.cluster} --${place} --digest ${plan.credential}`,
      run: () => putCaller(context, answers.cluster, plan.credential, place),
    },
    { command: `keystone-edge-auth mapping put mapping.json --${place}`, run: () => putMapping(context, plan, place) },
  ]
  if (place === 'local') return documents
  return [
    { command: 'npx wrangler secret put CACHE_KEYS < cache-keys', run: () => putSecret(context, plan.cacheKeys) },
    {
      command: 'npx wrangler deploy',
      async run() {
        const purpose = 'the Worker cannot be deployed'
        const shown = await context.wrangler(['deploy'], { purpose, uninterrupted: true })
        const url = /https:\/\/[^\s]+/.exec(shown)?.[0]
        if (url !== undefined) deployment.url = url
      },
    },
    ...documents,
  ]
}

/** Another CACHE_KEYS would make the last good documents of a running deployment unreadable, so one that is there stays. */
async function putSecret(context: CommandContext, cacheKeys: string): Promise<void> {
  if (await hasSecret(context)) {
    note(context, 'the secret CACHE_KEYS is there already, and stays')
    return
  }
  const purpose = 'the secret CACHE_KEYS cannot be put'
  await context.wrangler(['secret', 'put', 'CACHE_KEYS'], { stdin: cacheKeys, purpose, uninterrupted: true })
}

async function hasSecret(context: CommandContext): Promise<boolean> {
  try {
    const shown = await context.wrangler(['secret', 'list'], { purpose: 'the secrets cannot be listed' })
    return /"CACHE_KEYS"/.test(shown)
  } catch (error) {
    // 10007: there is no such Worker yet.
    if (isCommandError(error) && /10007|not found|does not exist/i.test(error.message)) return false
    throw error
  }
}

async function putCaller(context: CommandContext, cluster: string, credential: string, place: Place): Promise<void> {
  const flags = { local: place === 'local', remote: place === 'remote', yes: true, output: 'text' } as const
  const target = await openTarget(context, flags, { kind: 'callers', parse: parseCallers })
  if (listCallers(target.document, cluster).some((one) => one.credential === credential)) {
    note(context, `${target.name} has the credential of ${cluster} already`)
    return
  }
  await target.save(unwrap(addCaller(target.document, cluster, credential)))
}

async function putMapping(context: CommandContext, plan: FilePlan, place: Place): Promise<void> {
  const store = createConfigStore(context, place)
  const stored = await readStored(context, store, 'mapping')
  if (stored.text !== undefined) {
    note(context, 'there is a mapping in KV already, and it stays')
    return
  }
  const text = plan.files.find(({ path }) => path === 'mapping.json')?.text ?? '{}\n'
  await putDocument(context, store, { kind: 'mapping', key: 'mapping', text, stored }, { yes: true, homeDomain: '' })
}

/** Runs the steps. What fails or is stopped says which steps are done, and what is left to run. */
export async function runSteps(context: CommandContext, steps: readonly Step[]): Promise<void> {
  for (const [index, step] of steps.entries()) {
    let isStopped = false
    try {
      isStopped = await context.uninterrupted(() => {
        note(context, `running: ${step.command}`)
        return step.run()
      })
    } catch (error) {
      if (isCommandError(error)) note(context, summarize(steps, index))
      throw error
    }
    if (isStopped)
      throw new CommandError(EXIT.fault, `stopped\n${summarize(steps, index + 1)}`, 'init goes on where it was stopped')
  }
}

function summarize(steps: readonly Step[], done: number): string {
  const commands = steps.map(({ command }) => command)
  const before = commands.slice(0, done).join('; ') || 'nothing yet'
  return `done: ${before}\nleft: ${commands.slice(done).join('; ') || 'nothing'}`
}
