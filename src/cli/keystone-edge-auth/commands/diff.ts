import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { DiffFlags, DiffPolicyFlags } from '../diff/run-diff.ts'
import { homeDomainFlag, outputFlag, placeFlags, textFlag } from './flags.ts'

const FLAGS = {
  facts: textFlag('FILE', 'More users, as a list of facts with the keys of examples'),
  principals: {
    kind: 'enum',
    values: ['examples', 'keystone'],
    default: 'examples',
    brief: 'examples: the users of the documents; keystone: those of Keystone, with their roles',
  },
  cloud: textFlag('NAME', 'The cloud of clouds.yaml for --principals keystone; else OS_CLOUD or OS_* variables'),
  audit: textFlag('FILE', "More users, from lines of the Worker's audit log"),
  ...placeFlags,
  homeDomain: homeDomainFlag,
  output: outputFlag,
} as const
const aliases = { o: 'output' } as const
const DOCUMENTS = {
  kind: 'tuple',
  parameters: [
    {
      brief: 'The document before the edit; live (with --remote or --local) is the one in KV',
      placeholder: 'OLD',
      parse: String,
    },
    { brief: 'The document after the edit', placeholder: 'NEW', parse: String },
  ],
} as const

const mappingDiff = buildCommand<DiffFlags, [string, string], CommandContext>({
  loader: async () => (await (await import('../cold.ts')).commands.diff()).diffMappingFiles,
  parameters: { flags: FLAGS, aliases, positional: DOCUMENTS },
  docs: describe('mapping', 'groups'),
})

const policyDiff = buildCommand<DiffPolicyFlags, [string, string], CommandContext>({
  loader: async () => (await (await import('../cold.ts')).commands.diff()).diffPolicyFiles,
  parameters: {
    flags: { ...FLAGS, mapping: textFlag('FILE', 'The mapping for --principals keystone; {} if not given') },
    aliases,
    positional: DOCUMENTS,
  },
  docs: describe('policy', 'permissions'),
})

/** `keystone-edge-auth mapping|policy diff OLD NEW` */
export function diffCommand(kind: 'mapping' | 'policy') {
  return kind === 'mapping' ? mappingDiff : policyDiff
}

function describe(kind: 'mapping' | 'policy', what: string) {
  return {
    brief: `Shows who gains or loses which ${what} by an edit`,
    fullDescription: [
      `Shows who gains or loses which ${what} by an edit, what can do most harm first.`,
      'The users are those of the examples of both documents, and one for each rule or entry; with --principals keystone',
      "those of Keystone, read with an administrator's credentials, as the openstack command finds them. Users of --facts and",
      '--audit are added.',
      'Exit code 1 if anybody gains or loses anything.',
      '',
      'Examples:',
      `  keystone-edge-auth ${kind} diff ${kind}.json ${kind}-new.json`,
      `  keystone-edge-auth ${kind} diff live ${kind}.json --remote`,
      `  keystone-edge-auth ${kind} diff old.json new.json --facts users.yaml -o json`,
      `  OS_CLOUD=admin keystone-edge-auth ${kind} diff live ${kind}.json --remote --principals keystone`,
    ].join('\n'),
  }
}
