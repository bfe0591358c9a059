import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { KubeconfigFlags } from '../kubeconfig/run-kubeconfig.ts'
import { cacertFlag, outputFlag, textFlag, yesFlag } from './flags.ts'

/** `keystone-edge-auth kubeconfig CLUSTER --url URL` */
export const kubeconfigCommand = buildCommand<KubeconfigFlags, [string], CommandContext>({
  loader: async () => (await import('../cold.ts')).commands.kubeconfig(),
  parameters: {
    flags: {
      url: { kind: 'parsed', parse: String, placeholder: 'URL', brief: 'The https address of the Worker' },
      callerTokenFile: textFlag('FILE', "Where the caller's token is on a control-plane node"),
      cacert: {
        ...cacertFlag,
        brief: "Put the authority of the Worker's certificate in, such as npm start's .dev/tls.crt",
      },
      embedToken: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Put the token itself into the kubeconfig, for Talos; needs --out',
      },
      for: {
        kind: 'enum',
        values: ['kubeadm', 'k3s', 'rke2', 'talos', 'magnum', 'structured'],
        optional: true,
        brief: 'Show what has to change on this control plane',
      },
      kubernetesVersion: textFlag('VERSION', 'The version of the cluster, such as 1.34, for --for structured'),
      out: textFlag('FILE', 'Write the kubeconfig to a file of mode 0600 instead'),
      yes: yesFlag,
      output: outputFlag,
    },
    aliases: { o: 'output', y: 'yes' },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'The name of the cluster in the document callers', placeholder: 'CLUSTER', parse: String }],
    },
  },
  docs: {
    brief: 'Prints the kubeconfig for the webhook flags of kube-apiserver, and what else has to change',
    fullDescription: [
      'Prints the kubeconfig for the webhook flags of kube-apiserver. --for adds the changes of the control plane on',
      'standard error. No token is ever printed.',
      '',
      'Examples:',
      '  keystone-edge-auth kubeconfig prod-1 --url https://k8s-auth.example.com > webhook.kubeconfig',
      '  keystone-edge-auth kubeconfig prod-1 --url https://k8s-auth.example.com --for kubeadm > webhook.kubeconfig',
      '  keystone-edge-auth kubeconfig prod-1 --url https://k8s-auth.example.com --for structured --kubernetes-version 1.30',
    ].join('\n'),
  },
})
