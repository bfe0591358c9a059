import { buildCommand, buildRouteMap } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { ListFlags } from '../credentials/edit-target.ts'
import type { AddCallerFlags, CallerFlags } from '../credentials/run-caller.ts'
import { clusterArgument, outputFlag, readyFlags, targetFlags, textFlag, tokenFileFlag, yesFlag } from './flags.ts'

const load = async () => (await import('../cold.ts')).commands.caller()
const EDIT_FLAGS = { ...targetFlags('callers'), ...readyFlags, yes: yesFlag, output: outputFlag } as const
const aliases = { o: 'output', y: 'yes' } as const

const add = buildCommand<AddCallerFlags, [string], CommandContext>({
  loader: async () => (await load()).addCallerCommand,
  parameters: {
    flags: {
      ...EDIT_FLAGS,
      certificate: textFlag('FILE', 'A client certificate in PEM or DER, instead of a new token'),
      digest: textFlag('DIGEST', 'The digest of a token that is there already: sha256: and 64 hex digits'),
      tokenFile: tokenFileFlag,
    },
    aliases,
    positional: { kind: 'tuple', parameters: [clusterArgument] },
  },
  docs: {
    brief: 'Makes a credential for a cluster, and lists its digest',
    fullDescription: [
      'Makes a credential for a cluster, and lists its digest in the document callers. The token is shown once.',
      '',
      'Examples:',
      '  keystone-edge-auth caller add prod-1 --remote --token-file caller-token',
      '  keystone-edge-auth caller add prod-1 --file callers.json --token-file caller-token',
      '  keystone-edge-auth caller add prod-1 --remote --certificate kube-apiserver.crt',
    ].join('\n'),
  },
})

const rotate = buildCommand<
  Omit<AddCallerFlags, 'certificate' | 'digest'> & { finish: boolean },
  [string],
  CommandContext
>({
  loader: async () => (await load()).rotateCallerCommand,
  parameters: {
    flags: {
      ...EDIT_FLAGS,
      finish: { kind: 'boolean', default: false, withNegated: false, brief: 'Remove all tokens but the newest' },
      tokenFile: tokenFileFlag,
    },
    aliases,
    positional: { kind: 'tuple', parameters: [clusterArgument] },
  },
  docs: {
    brief: 'Replaces the token of a cluster without a gap, in two steps',
    fullDescription: [
      'Replaces the token of a cluster without a gap: the new token works beside the old one until --finish.',
      '',
      'Examples:',
      '  keystone-edge-auth caller rotate prod-1 --remote --token-file caller-token.new',
      '  keystone-edge-auth caller rotate prod-1 --remote --finish',
    ].join('\n'),
  },
})

const list = buildCommand<Omit<ListFlags, 'cluster'>, [string?], CommandContext>({
  loader: async () => (await load()).listCallersCommand,
  parameters: {
    flags: { ...targetFlags('callers'), output: outputFlag },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [{ ...clusterArgument, optional: true }] },
  },
  docs: {
    brief: 'Lists clusters and the digests of their credentials',
    fullDescription:
      'Lists clusters and the digests of their credentials.\n\nExample:\n  keystone-edge-auth caller list --remote -o json',
  },
})

const remove = buildCommand<CallerFlags & { credential?: string }, [string], CommandContext>({
  loader: async () => (await load()).removeCallerCommand,
  parameters: {
    flags: {
      ...EDIT_FLAGS,
      credential: textFlag('DIGEST', 'Remove this credential only; the beginning of the digest is enough'),
    },
    aliases,
    positional: { kind: 'tuple', parameters: [clusterArgument] },
  },
  docs: {
    brief: 'Removes a cluster, or one of its credentials',
    fullDescription:
      'Removes a cluster, or one of its credentials.\n\nExample:\n  keystone-edge-auth caller remove prod-1 --remote --credential 41a10798',
  },
})

/** `keystone-edge-auth caller add|list|remove|rotate` */
export const callerRoutes = buildRouteMap({
  routes: { add, list, remove, rotate },
  docs: { brief: 'Credentials of clusters, in the document callers of a file or of KV' },
})
