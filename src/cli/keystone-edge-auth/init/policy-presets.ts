import magnum from './magnum-policy.json' with { type: 'json' }

/** Stands for the id of the project until it is known; no project of Keystone has it. */
export const PLACEHOLDER = '0123456789abcdef0123456789abcdef'

const READ = ['get', 'list', 'watch']
const READER = { roles: ['reader'], project: PLACEHOLDER }

/** First documents `policy`, each with examples that say what it is for. */
export const POLICY_PRESETS = {
  /** The three roles of Magnum's clusters (docs/policy.md, "Magnum roles"). */
  magnum,
  /** No opinion on anything: RBAC decides alone. */
  'rbac-only': {
    policies: [],
    examples: [{ roles: ['admin'], verb: 'get', resource: 'pods', namespace: 'default', decision: 'no_opinion' }],
  },
  /** The role reader of one project may see what runs, with logs and without Secrets. */
  readers: {
    policies: [
      {
        users: { roles: ['reader'], projects: [PLACEHOLDER] },
        resource_permissions: {
          "*/['pods', 'services', 'configmaps', 'endpoints', 'events', 'persistentvolumeclaims', 'replicationcontrollers']":
            READ,
          "*/['deployments.apps', 'daemonsets.apps', 'replicasets.apps', 'statefulsets.apps', 'cronjobs.batch', 'jobs.batch']":
            READ,
          "*/['ingresses.networking.k8s.io', 'horizontalpodautoscalers.autoscaling']": READ,
          "*/['namespaces', 'nodes', 'persistentvolumes']": READ,
          '*/pods/log': ['get'],
        },
      },
    ],
    examples: [
      { ...READER, verb: 'list', resource: 'pods', decision: 'allow' },
      { ...READER, verb: 'get', resource: 'pods', subresource: 'log', namespace: 'default', decision: 'allow' },
      { ...READER, verb: 'get', resource: 'secrets', namespace: 'default', decision: 'no_opinion' },
      { ...READER, verb: 'get', resource: 'pods', subresource: 'exec', namespace: 'default', decision: 'no_opinion' },
      { ...READER, verb: 'delete', resource: 'pods', namespace: 'default', decision: 'no_opinion' },
    ],
  },
} as const
