import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'
import type { ExplainMappingFlags } from '../explain/explain-mapping.ts'
import type { ExplainPolicyFlags } from '../explain/explain-policy.ts'
import { cacertFlag, documentArgument, homeDomainFlag, outputFlag, placeFlags, textFlag } from './flags.ts'

const USER_FLAGS = {
  user: textFlag('NAME', 'The name of the user in Keystone'),
  userId: textFlag('ID', 'The id of the user'),
  domain: textFlag('ID', 'The domain of the user; the home domain if not given'),
  project: textFlag('NAME', "The name or the id of the token's project"),
  projectId: textFlag('ID', "The id of the token's project"),
  projectDomain: textFlag('ID', 'The domain of the project; the home domain if not given'),
  scope: {
    kind: 'enum',
    values: ['project', 'domain', 'system', 'unscoped'],
    optional: true,
    brief: 'The scope of the token; project if not given',
  },
  role: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    optional: true,
    placeholder: 'NAME',
    brief: 'A role; repeatable',
  },
  group: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    optional: true,
    placeholder: 'NAME',
    brief: 'A group of the user; repeatable',
  },
  tokenFile: textFlag('FILE', 'A token of Keystone, which Keystone is asked about: who it is'),
  keystoneUrl: textFlag(
    'URL',
    'The root of the Identity API for --token-file, such as https://keystone.example.com/v3',
  ),
  cacert: { ...cacertFlag, brief: 'The certificate authority of Keystone, instead of those of this machine' },
  facts: textFlag('FILE', 'Facts in JSON or YAML, with the keys of examples; or a line of the audit log'),
} as const

/** `keystone-edge-auth mapping explain FILE` */
export const explainMappingCommand = buildCommand<ExplainMappingFlags, [string], CommandContext>({
  loader: async () => (await import('../cold.ts')).commands.explainMapping(),
  parameters: {
    flags: { ...USER_FLAGS, ...placeFlags, homeDomain: homeDomainFlag, output: outputFlag },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [documentArgument] },
  },
  docs: {
    brief: 'Shows who a user of Keystone would be in Kubernetes, rule by rule',
    fullDescription: [
      'Shows who a user of Keystone would be in Kubernetes, rule by rule. An id that is not given is shown as 000…1 and so on.',
      'live (or --live) in place of the file is the document in KV.',
      '',
      'Examples:',
      '  keystone-edge-auth mapping explain mapping.json --user alice --project demo --role member',
      '  keystone-edge-auth mapping explain live --remote --facts alice.yaml -o json',
      '  keystone-edge-auth mapping explain mapping.json --token-file token --keystone-url https://keystone.example.com/v3',
    ].join('\n'),
  },
})

/** `keystone-edge-auth policy explain FILE` */
export const explainPolicyCommand = buildCommand<ExplainPolicyFlags, [string], CommandContext>({
  loader: async () => (await import('../cold.ts')).commands.explainPolicy(),
  parameters: {
    flags: {
      ...USER_FLAGS,
      verb: textFlag('VERB', 'What is asked, such as get or create'),
      resource: textFlag('NAME', 'A resource, such as pods'),
      subresource: textFlag('NAME', 'A subresource, such as exec'),
      apiGroup: textFlag('NAME', 'The API group of the resource; the core group if not given'),
      namespace: textFlag('NAME', 'The namespace; a request without one if not given'),
      name: textFlag('NAME', 'The name of the object'),
      path: textFlag('PATH', 'A path instead of a resource, such as /metrics'),
      mapping: textFlag('FILE', 'The mapping that makes the Kubernetes user of the facts'),
      ...placeFlags,
      homeDomain: homeDomainFlag,
      output: outputFlag,
    },
    aliases: { o: 'output', n: 'namespace' },
    positional: { kind: 'tuple', parameters: [documentArgument] },
  },
  docs: {
    brief: 'Shows whether a user of Keystone may do something in Kubernetes, entry by entry',
    fullDescription: [
      'Shows whether a user of Keystone may do something in Kubernetes, entry by entry.',
      '--user and --group are those of Kubernetes; with --mapping they are those of Keystone.',
      '',
      'Examples:',
      '  keystone-edge-auth policy explain policy.json --project demo --role member --verb get --resource pods -n default',
      '  keystone-edge-auth policy explain policy.json --role member --verb get --path /metrics -o json',
      '  tail -n 1 audit.log | keystone-edge-auth policy explain policy.json --facts -',
    ].join('\n'),
  },
})
