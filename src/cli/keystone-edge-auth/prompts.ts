import { CommandError, EXIT, usageError } from './command-error.ts'
import type { CommandContext } from './context.ts'

/** Asks a person for a text, on a terminal only. Ctrl-C ends the command. */
export async function askForText(context: CommandContext, message: string): Promise<string> {
  if (!context.canAsk) throw usageError('there is no terminal to ask on')
  const { isCancel, text } = await import('@clack/prompts')
  const answer = await text({ message, output: process.stderr })
  if (isCancel(answer) || answer === undefined) throw new CommandError(EXIT.fault, 'stopped; nothing was changed')
  return answer
}

/** Asks a person for a yes. Without a terminal the flag `--yes` must say it. */
export async function confirm(context: CommandContext, message: string, yes: boolean): Promise<void> {
  if (yes) return
  if (!context.canAsk) throw usageError(`${message} There is no terminal to ask on`, 'give --yes')
  const { confirm: ask, isCancel } = await import('@clack/prompts')
  const answer = await ask({ message, initialValue: false, output: process.stderr })
  if (isCancel(answer) || !answer) throw new CommandError(EXIT.fault, 'stopped; nothing was changed')
}

/** Asks before files that exist are replaced. */
export async function confirmOverwrite(context: CommandContext, paths: readonly string[], yes: boolean): Promise<void> {
  const there: string[] = []
  for (const path of paths) if (await context.files.exists(path)) there.push(path)
  if (there.length > 0) await confirm(context, `Replace ${there.join(', ')}?`, yes)
}
