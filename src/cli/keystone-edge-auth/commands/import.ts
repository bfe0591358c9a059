import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { ImportFlags } from '../import/run-import.ts'
import { homeDomainFlag, outputFlag, textFlag, yesFlag } from './flags.ts'

/** `keystone-edge-auth import FILE --out DIR` */
export const importCommand = buildCommand<ImportFlags, [string], CommandContext>({
  loader: async () => (await import('../cold.ts')).commands.import(),
  parameters: {
    flags: {
      out: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR',
        brief: 'The directory for the documents; made if missing',
      },
      projectId: textFlag('ID', 'In place of $PROJECT_ID, which the policies of Magnum have'),
      homeDomain: homeDomainFlag,
      yes: yesFlag,
      output: outputFlag,
    },
    aliases: { o: 'output', y: 'yes' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'A ConfigMap, a policy, a sync configuration or a static token file; - is standard input',
          placeholder: 'FILE',
          parse: String,
        },
      ],
    },
  },
  docs: {
    brief: 'Makes documents of the files of k8s-keystone-auth, and lists what means something else',
    fullDescription: [
      'Makes documents of the files of k8s-keystone-auth and of static token files, and lists what means something else.',
      'Writes policy.json, mapping.json, sync.json and authenticators.json, as far as the file holds them.',
      '',
      'Examples:',
      '  kubectl get configmap -n kube-system k8s-auth-policy -o yaml | keystone-edge-auth import - --out documents',
      '  keystone-edge-auth import magnum-policy.yaml --project-id 9e18d0fd315644ee826687296538ddc7 --out documents',
      '  keystone-edge-auth import tokens.csv --out documents -o json',
    ].join('\n'),
  },
})
