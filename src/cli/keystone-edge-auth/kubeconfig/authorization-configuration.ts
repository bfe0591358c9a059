/**
 * The version of `AuthorizationConfiguration` that a release of Kubernetes takes: v1 from 1.32, v1beta1 from 1.30,
 * v1alpha1 behind a feature gate in 1.29 (docs/coming-from-k8s-keystone-auth.md). `undefined` for older releases.
 */
export function configurationVersion(minor: number): 'v1' | 'v1beta1' | 'v1alpha1' | undefined {
  if (minor >= 32) return 'v1'
  if (minor >= 30) return 'v1beta1'
  return minor === 29 ? 'v1alpha1' : undefined
}

/** The minor version of `1.34` or `v1.34.2`. */
export function readMinorVersion(text: string): number | undefined {
  const match = /^v?1\.(\d{1,3})(?:\.\d+.*)?$/.exec(text)
  return match === null ? undefined : Number(match[1])
}

/**
 * The structured configuration of kube-apiserver's authorizers (docs/policy.md): the conditions keep the cluster's own
 * components, and everybody who is not of Keystone, away from the webhook.
 */
export function toAuthorizationConfiguration(version: string, kubeconfig: string): object {
  return {
    apiVersion: `apiserver.config.k8s.io/${version}`,
    kind: 'AuthorizationConfiguration',
    authorizers: [
      { type: 'Node', name: 'node' },
      {
        type: 'Webhook',
        name: 'keystone',
        webhook: {
          connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: kubeconfig },
          subjectAccessReviewVersion: 'v1',
          matchConditionSubjectAccessReviewVersion: 'v1',
          timeout: '3s',
          authorizedTTL: '30s',
          unauthorizedTTL: '30s',
          failurePolicy: 'NoOpinion',
          matchConditions: [
            { expression: "!request.user.startsWith('system:')" },
            { expression: "!request.groups.exists(g, g.startsWith('system:') && g != 'system:authenticated')" },
            { expression: "request.extra.exists(key, key.startsWith('alpha.kubernetes.io/identity/'))" },
          ],
        },
      },
      { type: 'RBAC', name: 'rbac' },
    ],
  }
}
