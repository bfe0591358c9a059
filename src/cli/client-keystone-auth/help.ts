import { OPTIONS } from '../shared/openstack/options.ts'

/** What `--help` prints. It shows the names of variables, never their values. */
export function renderHelp(): string {
  const settings = OPTIONS.filter(({ name }) => name !== 'verify').map(({ name, flags, variables, help }) =>
    row(`--${flags[0]}`, `${help} [${[...variables, name].join(', ')}]`),
  )
  return `client-keystone-auth logs in to OpenStack Keystone for kubectl (a client-go credential plugin).

Usage:
  client-keystone-auth [flags]          print a credential, as kubectl asks for it
  client-keystone-auth status           who is logged in, for what, until when
  client-keystone-auth logout [flags]   revoke and forget the cached tokens, or those of --cloud

The credentials come from flags, then OS_* variables, then clouds.yaml (--cloud or OS_CLOUD), then the terminal.

Flags, in brackets the variables and the name in clouds.yaml:
${row('--cloud', 'the cloud of clouds.yaml [OS_CLOUD]')}
${settings.join('\n')}
${row('--no-cache', 'neither read nor write cached tokens')}
${row('--force-refresh', 'ask Keystone for a new token')}
${row('--allow-auth-url-override', 'let flags and variables send the secrets of a clouds file elsewhere')}
${row('--version', 'print the version')}
${row('-h, --help', 'print this')}

Each setting is also called --os-NAME, and words may be joined by underscores. -v, --vmodule and --log-flush-frequency are
accepted and ignored. Secrets in flags can be read by every user of the machine: use variables or clouds.yaml.

Examples:
  kubectl config set-credentials openstack --exec-command=client-keystone-auth \\
    --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=IfAvailable --exec-env=OS_CLOUD=prod
  OS_CLOUD=prod client-keystone-auth status
`
}

function row(flag: string, text: string): string {
  return `  ${flag.padEnd(34)} ${text}`
}
