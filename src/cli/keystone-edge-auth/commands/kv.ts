import { buildCommand } from '@stricli/core'
import type { DocumentKind } from '../check/document-kind.ts'
import type { CommandContext } from '../context.ts'
import type { PlaceFlags } from '../kv/place.ts'
import type { PutCommandFlags } from '../kv/run-kv.ts'
import { documentArgument, homeDomainFlag, outputFlag, placeFlags, readyFlags, yesFlag } from './flags.ts'

const load = async () => (await import('../cold.ts')).commands.kv()
const PUT_FLAGS = {
  ...placeFlags,
  output: outputFlag,
  homeDomain: homeDomainFlag,
  ...readyFlags,
  yes: { ...yesFlag, brief: 'Puts without asking' },
} as const
const aliases = { o: 'output', y: 'yes' } as const

/** `put`, `history` and `undo` of a kind of document. */
export function kvCommands(kind: DocumentKind) {
  const put = buildCommand<PutCommandFlags, [string], CommandContext>({
    loader: async () => (await load()).createPut(kind),
    parameters: {
      flags: PUT_FLAGS,
      aliases,
      positional: {
        kind: 'tuple',
        parameters: [{ ...documentArgument, brief: 'The document in JSON or YAML; - is standard input' }],
      },
    },
    docs: {
      brief: `Puts a document ${kind} into KV: checks, shows the difference, asks`,
      fullDescription: [
        `Puts a document ${kind} into KV, through wrangler: checks it, shows the difference with what is there, asks, and`,
        'keeps the former version. It refuses when somebody else edits the document meanwhile.',
        '',
        'Examples:',
        `  keystone-edge-auth ${kind} put ${kind}.json --remote --url https://k8s-auth.example.com --caller-token-file caller-token`,
        `  keystone-edge-auth ${kind} put ${kind}.yaml --local --yes`,
      ].join('\n'),
    },
  })
  const history = buildCommand<PlaceFlags, [], CommandContext>({
    loader: async () => (await load()).createHistory(kind),
    parameters: { flags: { ...placeFlags, output: outputFlag }, aliases: { o: 'output' } },
    docs: {
      brief: `Lists former versions of the document ${kind}`,
      fullDescription: `Lists former versions of the document ${kind}, the last one first.\n\nExample:\n  keystone-edge-auth ${kind} history --remote`,
    },
  })
  const undo = buildCommand<PutCommandFlags, [number?], CommandContext>({
    loader: async () => (await load()).createUndo(kind),
    parameters: {
      flags: PUT_FLAGS,
      aliases,
      positional: {
        kind: 'tuple',
        parameters: [
          { brief: 'The number that history shows; 1 if not given', placeholder: 'N', optional: true, parse: toNumber },
        ],
      },
    },
    docs: {
      brief: `Puts a former version of the document ${kind}`,
      fullDescription: `Puts a former version of the document ${kind}, with the difference and the question of put.\n\nExample:\n  keystone-edge-auth ${kind} undo --remote`,
    },
  })
  return { put, history, undo }
}

function toNumber(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text)
  throw new Error('expected a number from 1')
}
