import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { TailFlags } from '../tail/run-tail.ts'
import { textFlag } from './flags.ts'

const boolean = { kind: 'boolean', default: false, withNegated: false } as const

/** `keystone-edge-auth tail` */
export const tailCommand = buildCommand<TailFlags, [], CommandContext>({
  loader: async () => (await import('../cold.ts')).commands.tail(),
  parameters: {
    flags: {
      file: textFlag('FILE', 'The log in a file, or - for standard input, instead of that of the deployed Worker'),
      cluster: textFlag('CLUSTER', 'Only reviews of this cluster'),
      user: textFlag('NAME', 'Only reviews of this user of Kubernetes'),
      denied: { ...boolean, brief: 'Only what is not let in: refusals, "cannot tell", refused callers, errors' },
      explain: { ...boolean, brief: 'Say what each reason means, and what to do' },
      output: { kind: 'enum', values: ['text', 'jsonl'], default: 'text', brief: 'jsonl: one JSON object a line' },
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Shows the reviews of users and requests as they happen',
    fullDescription: [
      'Shows the reviews of users and requests as they happen, one line each, from wrangler tail or the output of npm start.',
      '',
      'Examples:',
      '  keystone-edge-auth tail --cluster prod-1 --denied --explain',
      '  npm start | keystone-edge-auth tail --file -',
    ].join('\n'),
  },
})
