import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { DoctorFlags } from '../doctor/run-doctor.ts'
import { cacertFlag, outputFlag, textFlag } from './flags.ts'

/** `keystone-edge-auth doctor --url URL --caller-token-file FILE` */
export const doctorCommand = buildCommand<DoctorFlags, [], CommandContext>({
  loader: async () => (await import('../cold.ts')).commands.doctor(),
  parameters: {
    flags: {
      url: { kind: 'parsed', parse: String, placeholder: 'URL', brief: 'The https address of the Worker' },
      callerTokenFile: {
        kind: 'parsed',
        parse: String,
        placeholder: 'FILE',
        brief: 'The credential of the cluster, as kube-apiserver has it',
      },
      cluster: textFlag('CLUSTER', 'Check that the credential is that of this cluster'),
      tokenFile: textFlag('FILE', 'A token of Keystone: show who it is'),
      cacert: cacertFlag,
      output: outputFlag,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Checks each link from this machine to Keystone, and says how to correct what is wrong',
    fullDescription: [
      'Checks each link from this machine to Keystone: DNS, TLS, the Worker, the credential, settings, Keystone, documents,',
      'reviews, latency. Says how to correct what is wrong. The exit code is 1 if one failed. No token is printed.',
      '',
      'Examples:',
      '  keystone-edge-auth doctor --url https://k8s-auth.example.com --caller-token-file caller-token --cluster prod-1',
      '  keystone-edge-auth doctor --url https://127.0.0.1:8443 --cacert .dev/tls.crt --caller-token-file .dev/caller-token -o json',
    ].join('\n'),
  },
})
