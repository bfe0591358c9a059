import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { SetupFlags } from '../setup/run-setup.ts'
import { outputFlag, textFlag, yesFlag } from './flags.ts'

/** `keystone-edge-auth init` */
export const setupCommand = buildCommand<SetupFlags, [], CommandContext>({
  loader: async () => (await import('../cold.ts')).commands.setup(),
  parameters: {
    flags: {
      keystoneUrl: textFlag('URL', 'The root of the Identity API, such as https://keystone.example.com/v3'),
      homeDomain: textFlag('ID', 'The id of the domain whose names stay unqualified; default if not given'),
      cluster: textFlag('CLUSTER', 'The name of the first cluster'),
      callerTokenFile: {
        kind: 'parsed',
        parse: String,
        default: 'caller-token',
        placeholder: 'FILE',
        brief: "Where the cluster's credential is written, with mode 0600; one that is there is kept",
      },
      local: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'For npm start or wrangler dev on this machine: .dev.vars and the local KV',
      },
      run: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Run the commands of wrangler, not only show them',
      },
      yes: yesFlag,
      output: outputFlag,
    },
    aliases: { o: 'output', y: 'yes' },
  },
  docs: {
    brief: 'Makes the secrets, settings and first documents of a deployment, and deploys it',
    fullDescription: [
      'Makes the secrets, settings and first documents of a deployment, in this directory, which has wrangler.toml. Asks',
      'for what flags do not say. Shows the commands of wrangler that are left, or runs them with --run, and ends by doctor.',
      'Called again it keeps what is there.',
      '',
      'Examples:',
      '  keystone-edge-auth init',
      '  keystone-edge-auth init --keystone-url https://keystone.example.com/v3 --cluster prod-1 --run',
      '  keystone-edge-auth init --local --keystone-url http://127.0.0.1:5000/v3 --cluster lab --run --yes',
    ].join('\n'),
  },
})
