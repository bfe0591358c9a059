import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { InitFlags } from '../init/run-init.ts'
import { outputFlag, textFlag, yesFlag } from './flags.ts'

/** `keystone-edge-auth mapping|policy init --preset PRESET` */
export function initCommand(kind: 'mapping' | 'policy') {
  return buildCommand<InitFlags, [], CommandContext>({
    loader: async () => (await (await import('../cold.ts')).commands.init()).createInit(kind),
    parameters: {
      flags: {
        preset: {
          kind: 'enum',
          values: ['magnum', 'rbac-only', 'readers'],
          brief: 'magnum: three roles of Magnum; rbac-only: RBAC decides; readers: the role reader may look',
        },
        projectId: textFlag('ID', "The id of the cluster's project, for policies that are bound to one"),
        out: textFlag('FILE', 'Write the document to a file instead'),
        yes: yesFlag,
        output: outputFlag,
      },
      aliases: { o: 'output', y: 'yes' },
    },
    docs: {
      brief: `Prints a first document ${kind}`,
      fullDescription: [
        `Prints a first document ${kind}, in JSON, with examples. It passes check.`,
        '',
        'Examples:',
        `  keystone-edge-auth ${kind} init --preset rbac-only > ${kind}.json`,
        `  keystone-edge-auth ${kind} init --preset magnum --project-id 9e18d0fd315644ee826687296538ddc7 --out ${kind}.json`,
      ].join('\n'),
    },
  })
}
