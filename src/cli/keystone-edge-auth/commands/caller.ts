import { buildCommand, buildRouteMap } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { AddCallerFlags } from '../credentials/run-caller.ts'
import { clusterArgument, fileFlag, outputFlag, textFlag, tokenFileFlag, yesFlag } from './flags.ts'

const load = () => import('../credentials/run-caller.ts')
const file = fileFlag('callers')
const aliases = { o: 'output', y: 'yes' } as const

const add = buildCommand<AddCallerFlags, [string], CommandContext>({
  loader: async () => (await load()).addCallerCommand,
  parameters: {
    flags: {
      file,
      certificate: textFlag('FILE', 'A client certificate in PEM or DER, instead of a new token'),
      tokenFile: tokenFileFlag,
      yes: yesFlag,
      output: outputFlag,
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
      '  keystone-edge-auth caller add prod-1 --token-file caller-token',
      '  keystone-edge-auth caller add prod-1 --certificate kube-apiserver.crt --file callers.json',
    ].join('\n'),
  },
})

const rotate = buildCommand<Omit<AddCallerFlags, 'certificate'> & { finish: boolean }, [string], CommandContext>({
  loader: async () => (await load()).rotateCallerCommand,
  parameters: {
    flags: {
      file,
      finish: { kind: 'boolean', default: false, withNegated: false, brief: 'Remove all tokens but the newest' },
      tokenFile: tokenFileFlag,
      yes: yesFlag,
      output: outputFlag,
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
      '  keystone-edge-auth caller rotate prod-1 --token-file caller-token.new',
      '  keystone-edge-auth caller rotate prod-1 --finish',
    ].join('\n'),
  },
})

const list = buildCommand<Pick<AddCallerFlags, 'file' | 'output'>, [string?], CommandContext>({
  loader: async () => (await load()).listCallersCommand,
  parameters: {
    flags: { file, output: outputFlag },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [{ ...clusterArgument, optional: true }] },
  },
  docs: {
    brief: 'Lists clusters and the digests of their credentials',
    fullDescription:
      'Lists clusters and the digests of their credentials.\n\nExample:\n  keystone-edge-auth caller list -o json',
  },
})

const remove = buildCommand<
  Pick<AddCallerFlags, 'file' | 'output' | 'yes'> & { credential?: string },
  [string],
  CommandContext
>({
  loader: async () => (await load()).removeCallerCommand,
  parameters: {
    flags: {
      file,
      credential: textFlag('DIGEST', 'Remove this credential only; the beginning of the digest is enough'),
      yes: yesFlag,
      output: outputFlag,
    },
    aliases,
    positional: { kind: 'tuple', parameters: [clusterArgument] },
  },
  docs: {
    brief: 'Removes a cluster, or one of its credentials',
    fullDescription:
      'Removes a cluster, or one of its credentials.\n\nExample:\n  keystone-edge-auth caller remove prod-1 --credential 41a10798',
  },
})

/** `keystone-edge-auth caller add|list|remove|rotate` */
export const callerRoutes = buildRouteMap({
  routes: { add, list, remove, rotate },
  docs: { brief: 'Credentials of clusters, in a file with the document callers' },
})
