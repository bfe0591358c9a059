import { usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import doctor from '../doctor/run-doctor.ts'
import { note, printJson, printLines } from '../output.ts'
import { confirm } from '../prompts.ts'
import { type AnswerFlags, type Answers, collectAnswers } from './answers.ts'
import { type FileFlags, planFiles, writeFiles } from './setup-files.ts'
import { type Deployment, planSteps, runSteps } from './setup-steps.ts'

export interface SetupFlags extends AnswerFlags, FileFlags {
  readonly run: boolean
  readonly output: 'text' | 'json'
}

/**
 * Runs `init`: from nothing to a Worker that knows one cluster. All questions come first, then the files, then (with
 * `--run`) the steps of wrangler. Called again it keeps what is there.
 */
export default async function setUp(this: CommandContext, flags: SetupFlags): Promise<void> {
  if (flags.output === 'json' && flags.run) throw usageError('--run prints text', 'leave -o json out')
  const answers = await collectAnswers(this, flags)
  const plan = await planFiles(this, answers, flags)
  const deployment: Deployment = {}
  const steps = planSteps(this, answers, { plan, place: flags.local ? 'local' : 'remote', deployment })
  const commands = steps.map(({ command }) => command)
  if (flags.run) await confirm(this, `Write the files, and run ${commands.join('; ')}?`, flags.yes)
  const isStopped = await this.uninterrupted(async () => {
    await writeFiles(this, plan)
  })
  const files = plan.files.map(({ path, change }) => ({ path, change }))
  if (flags.output === 'json') {
    printJson(this, { files, commands: [...commands, doctorCommand(answers, flags, undefined)] })
    return
  }
  printLines(
    this,
    files.map(({ path, change }) => `${change} ${path}`),
  )
  if (flags.run && !isStopped) {
    await runSteps(this, steps)
    await finish(this, answers, flags, deployment.url)
    return
  }
  printLines(this, ['', 'What is left to run:', ...commands.map((command) => `  ${command}`)])
  printLines(this, explainNext(answers, flags))
}

/** Ends by doctor, where the address is known, and says how to run it otherwise. */
async function finish(context: CommandContext, answers: Answers, flags: SetupFlags, url?: string): Promise<void> {
  if (flags.local || url === undefined) {
    printLines(context, explainNext(answers, flags))
    return
  }
  note(context, `${url} can need a minute until it knows the cluster; doctor shows how far it is`)
  await doctor.call(context, {
    url,
    callerTokenFile: flags.callerTokenFile,
    cluster: answers.cluster,
    output: 'text',
  })
}

function explainNext(answers: Answers, flags: SetupFlags): string[] {
  const url = flags.local ? 'https://127.0.0.1:8443' : 'https://<your worker>'
  const start = flags.local ? [`Start the webhook: KEYSTONE_URL=${answers.keystoneUrl} npm start`] : []
  return [
    '',
    ...start,
    `Check it: ${doctorCommand(answers, flags, undefined)}`,
    `Then, for kube-apiserver: keystone-edge-auth kubeconfig ${answers.cluster} --url ${url}`,
  ]
}

function doctorCommand({ cluster }: Answers, { local, callerTokenFile }: SetupFlags, url: string | undefined): string {
  const where = local ? 'https://127.0.0.1:8443 --cacert .dev/tls.crt' : (url ?? 'https://<your worker>')
  return `keystone-edge-auth doctor --url ${where} --caller-token-file ${callerTokenFile} --cluster ${cluster}`
}
