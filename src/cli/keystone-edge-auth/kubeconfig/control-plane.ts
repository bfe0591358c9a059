import { stringify } from 'yaml'
import { toAuthorizationConfiguration } from './authorization-configuration.ts'

/** Where the control plane comes from. */
export const PLATFORMS = ['kubeadm', 'k3s', 'rke2', 'talos', 'magnum', 'structured'] as const
export type Platform = (typeof PLATFORMS)[number]

/** One thing to change on the control plane. */
export interface ControlPlaneChange {
  readonly about: string
  /** The file that the content belongs in; none for a command or for flags. */
  readonly file?: string
  readonly content: string
}

/** Where each platform keeps the kubeconfig and the token on a control-plane node. */
export const DIRECTORIES: Readonly<Record<Platform, string>> = {
  kubeadm: '/etc/kubernetes/keystone',
  k3s: '/etc/rancher/k3s/keystone',
  rke2: '/etc/rancher/rke2/keystone',
  talos: '/var/keystone',
  magnum: '/etc/kubernetes/keystone',
  structured: '/etc/kubernetes/keystone',
}

interface Options {
  readonly directory: string
  /** The version of AuthorizationConfiguration that the cluster takes. */
  readonly version: string
}

/** What has to change on the control plane, in the order of doing it. */
export function controlPlaneChanges(platform: Platform, options: Options): ControlPlaneChange[] {
  const { directory } = options
  const install = `install -d -m 700 ${directory}\ninstall -m 600 webhook.kubeconfig caller-token ${directory}/`
  const files = { about: 'on each control-plane node, as root: the kubeconfig and the token', content: install }
  switch (platform) {
    case 'kubeadm':
      return [files, ...kubeadm(directory)]
    case 'k3s':
      return [files, ...rancher('k3s', directory)]
    case 'rke2':
      return [files, ...rancher('rke2', directory)]
    case 'talos':
      return talos(directory)
    case 'magnum':
      return [files, ...magnum(directory)]
    case 'structured':
      return [files, ...structured(options)]
  }
}

/** The flags of kube-apiserver for authentication (docs/deployment.md): always flags, in every version of Kubernetes. */
function flagsOf(directory: string): readonly (readonly [name: string, value: string])[] {
  return [
    ['authentication-token-webhook-config-file', `${directory}/webhook.kubeconfig`],
    ['authentication-token-webhook-version', 'v1'],
    ['authentication-token-webhook-cache-ttl', '30s'],
  ]
}

function kubeadm(directory: string): ControlPlaneChange[] {
  const mount = { name: 'keystone', hostPath: directory, mountPath: directory, readOnly: true, pathType: 'Directory' }
  const configuration = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    apiServer: { extraArgs: flagsOf(directory).map(([name, value]) => ({ name, value })), extraVolumes: [mount] },
  }
  return [
    {
      about: 'the ConfigMap of kubeadm, so that an upgrade keeps the flags: add this to ClusterConfiguration',
      file: 'kubectl -n kube-system edit configmap kubeadm-config',
      content: stringify(configuration),
    },
    {
      about: 'on one control-plane node after the other: the manifest of the static pod with flags and mount',
      content:
        'kubectl -n kube-system get configmap kubeadm-config -o jsonpath="{.data.ClusterConfiguration}" > kubeadm.yaml\ncp /etc/kubernetes/manifests/kube-apiserver.yaml /root/kube-apiserver.before.yaml\nkubeadm init phase control-plane apiserver --config kubeadm.yaml',
    },
  ]
}

/** k3s runs kube-apiserver in its own process; RKE2 runs a static pod, which needs the mount. */
function rancher(name: 'k3s' | 'rke2', directory: string): ControlPlaneChange[] {
  const settings = {
    'kube-apiserver-arg': flagsOf(directory).map(([flag, value]) => `${flag}=${value}`),
    ...(name === 'rke2' && { 'kube-apiserver-extra-mount': [`${directory}:${directory}:ro`] }),
  }
  return [
    {
      about: 'on each server: merge this with the lists that are there',
      file: `/etc/rancher/${name}/config.yaml`,
      content: stringify(settings),
    },
    {
      about: 'on one server after the other',
      content: `systemctl restart ${name === 'k3s' ? 'k3s' : 'rke2-server'}`,
    },
  ]
}

/** Talos writes the files itself; its kube-apiserver runs as another user than root, so the file must be readable. */
function talos(directory: string): ControlPlaneChange[] {
  const patch = {
    machine: {
      files: [
        {
          path: `${directory}/webhook.kubeconfig`,
          permissions: 0o444,
          op: 'create',
          content: '# the kubeconfig, with the token in it: import it here\n',
        },
      ],
    },
    cluster: {
      apiServer: {
        extraArgs: Object.fromEntries(flagsOf(directory)),
        extraVolumes: [{ hostPath: directory, mountPath: directory, readonly: true }],
      },
    },
  }
  return [
    {
      about:
        'a patch of the machine configuration of the control planes. The kubeconfig must hold the token: make it with --embed-token --out FILE',
      file: 'keystone-patch.yaml',
      content: stringify(patch),
    },
    {
      about: 'on one control-plane node after the other',
      content: 'talosctl patch machineconfig --nodes NODE --patch @keystone-patch.yaml',
    },
  ]
}

function magnum(directory: string): ControlPlaneChange[] {
  const flags = flagsOf(directory).map(([name, value]) => `--${name}=${value}`)
  return [
    {
      about: 'labels of the cluster template: Magnum then does not deploy k8s-keystone-auth',
      content: `keystone_auth_enabled=false\nkubeapi_options="${flags.join(' ')}"`,
    },
    {
      about: 'in a cluster that runs: add the flags to KUBE_API_ARGS on each master, one after the other',
      file: '/etc/kubernetes/apiserver',
      content: `${flags.join(' ')}\n# then: systemctl restart kube-apiserver`,
    },
  ]
}

function structured({ directory, version }: Options): ControlPlaneChange[] {
  const path = `${directory}/authorization.yaml`
  return [
    {
      about:
        'which authorizers are asked, in place of all --authorization- flags; Deny if on_no_match of the policy is deny',
      file: path,
      content: stringify(toAuthorizationConfiguration(version, `${directory}/webhook.kubeconfig`)),
    },
    {
      about: `flags of kube-apiserver. Authentication by a webhook has no entry in AuthenticationConfiguration: it is flags in every version${version === 'v1alpha1' ? '. Kubernetes 1.29 needs --feature-gates=StructuredAuthorizationConfiguration=true as well' : ''}`,
      content: [...flagsOf(directory), ['authorization-config', path] as const]
        .map(([name, value]) => `--${name}=${value}`)
        .join('\n'),
    },
  ]
}
