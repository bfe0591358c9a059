import { buildCommand, buildRouteMap } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { ListFlags, TargetFlags } from '../credentials/edit-target.ts'
import type { AddStaticFlags } from '../credentials/run-static-token.ts'
import { outputFlag, placeFlags, readyFlags, targetFlags, textFlag, tokenFileFlag, yesFlag } from './flags.ts'

const load = async () => (await import('../cold.ts')).commands.staticToken()
const TARGET_FLAGS = { ...targetFlags('authenticators'), cluster: placeFlags.cluster, output: outputFlag } as const
const EDIT_FLAGS = { ...TARGET_FLAGS, ...readyFlags, yes: yesFlag } as const

const add = buildCommand<AddStaticFlags, [string], CommandContext>({
  loader: async () => (await load()).addStaticCommand,
  parameters: {
    flags: {
      ...EDIT_FLAGS,
      uid: textFlag('ID', 'The uid; the user name if not given'),
      group: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'NAME',
        brief: 'A group of the user; repeatable',
      },
      expires: textFlag('TIME', 'The end: 2027-01-01T00:00:00Z, or 90d or 12h from now'),
      tokenFile: tokenFileFlag,
    },
    aliases: { o: 'output', y: 'yes' },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'The user whom the token names', placeholder: 'USERNAME', parse: String }],
    },
  },
  docs: {
    brief: 'Makes a static token for a user, and lists its digest',
    fullDescription: [
      'Makes a static token for a user, and lists its digest in the document authenticators. The token is shown once.',
      '',
      'Examples:',
      '  keystone-edge-auth static-token add ci-bot --remote --group ci --expires 90d --token-file ci-token',
      '  keystone-edge-auth static-token add ci-bot --group ci -o json',
    ].join('\n'),
  },
})

const list = buildCommand<ListFlags, [], CommandContext>({
  loader: async () => (await load()).listStaticCommand,
  parameters: { flags: TARGET_FLAGS, aliases: { o: 'output' } },
  docs: {
    brief: 'Lists static tokens by user and digest',
    fullDescription:
      'Lists static tokens by user and digest.\n\nExample:\n  keystone-edge-auth static-token list --remote -o json',
  },
})

const remove = buildCommand<TargetFlags, [string], CommandContext>({
  loader: async () => (await load()).removeStaticCommand,
  parameters: {
    flags: EDIT_FLAGS,
    aliases: { o: 'output', y: 'yes' },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'The user, or the beginning of the digest', placeholder: 'WHICH', parse: String }],
    },
  },
  docs: {
    brief: 'Removes a static token',
    fullDescription: 'Removes a static token.\n\nExample:\n  keystone-edge-auth static-token remove ci-bot --remote',
  },
})

/** `keystone-edge-auth static-token add|list|remove` */
export const staticTokenRoutes = buildRouteMap({
  routes: { add, list, remove },
  docs: { brief: 'Static tokens, in the document authenticators of a file or of KV' },
})
