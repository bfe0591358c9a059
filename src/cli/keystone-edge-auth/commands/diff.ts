import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { DiffFlags } from '../diff/run-diff.ts'
import { homeDomainFlag, outputFlag, placeFlags, textFlag } from './flags.ts'

/** `keystone-edge-auth mapping|policy diff OLD NEW` */
export function diffCommand(kind: 'mapping' | 'policy') {
  const what = kind === 'mapping' ? 'groups' : 'permissions'
  return buildCommand<DiffFlags, [string, string], CommandContext>({
    loader: async () => {
      const { diffMappingFiles, diffPolicyFiles } = await import('../diff/run-diff.ts')
      return kind === 'mapping' ? diffMappingFiles : diffPolicyFiles
    },
    parameters: {
      flags: {
        facts: textFlag('FILE', 'More users, as a list of facts with the keys of examples'),
        ...placeFlags,
        homeDomain: homeDomainFlag,
        output: outputFlag,
      },
      aliases: { o: 'output' },
      positional: {
        kind: 'tuple',
        parameters: [
          {
            brief: 'The document before the edit; live (with --remote or --local) is the one in KV',
            placeholder: 'OLD',
            parse: String,
          },
          { brief: 'The document after the edit', placeholder: 'NEW', parse: String },
        ],
      },
    },
    docs: {
      brief: `Shows who gains or loses which ${what} by an edit`,
      fullDescription: [
        `Shows who gains or loses which ${what} by an edit, what can do most harm first.`,
        'The users are those of the examples of both documents, one for each rule or entry, and those of --facts.',
        'Exit code 1 if anybody gains or loses anything.',
        '',
        'Examples:',
        `  keystone-edge-auth ${kind} diff ${kind}.json ${kind}-new.json`,
        `  keystone-edge-auth ${kind} diff live ${kind}.json --remote`,
        `  keystone-edge-auth ${kind} diff old.json new.json --facts users.yaml -o json`,
      ].join('\n'),
    },
  })
}
