import { buildCommand } from '@stricli/core'
import type { DocumentKind } from '../check/document-kind.ts'
import type { CheckFlags } from '../check/run-check.ts'
import type { CommandContext } from '../context.ts'
import { homeDomainFlag } from './flags.ts'

/** `keystone-edge-auth <kind> check FILE…` */
export function checkCommand(kind: DocumentKind) {
  return buildCommand<CheckFlags, string[], CommandContext>({
    loader: async () => (await (await import('../cold.ts')).commands.check()).createCheck(kind),
    parameters: {
      flags: {
        output: {
          kind: 'enum',
          values: ['text', 'json', 'github'],
          default: 'text',
          brief: 'text for people, json for programs, github for annotations of a pull request',
        },
        strict: { kind: 'boolean', default: false, brief: 'Warnings fail the check too', withNegated: false },
        homeDomain: homeDomainFlag,
      },
      aliases: { o: 'output' },
      positional: {
        kind: 'array',
        minimum: 1,
        parameter: { brief: 'A document in JSON or YAML; - is standard input', placeholder: 'FILE', parse: String },
      },
    },
    docs: {
      brief: `Checks documents ${kind}: every fault with its place, and what is probably not meant`,
      fullDescription: [
        `Checks documents ${kind} as the webhook does before it puts one into force, examples included.`,
        'Exit code 1 if a document has a fault, with --strict also if it has a warning.',
        '',
        'Examples:',
        `  keystone-edge-auth ${kind} check ${kind}.json`,
        `  keystone-edge-auth ${kind} check --strict -o github clusters/*/${kind}.yaml`,
        `  npx wrangler kv key get --binding CONFIG ${kind} --remote | keystone-edge-auth ${kind} check -`,
      ].join('\n'),
    },
  })
}
