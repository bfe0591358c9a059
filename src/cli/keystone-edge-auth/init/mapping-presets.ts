const ALICE = { user: 'alice', project: 'demo' }

/** First documents `mapping`, each with examples that say what it is for. */
export const MAPPING_PRESETS = {
  /** The three roles of Magnum's clusters as groups, for RBAC beside or instead of a policy. */
  magnum: {
    rules: ['admin', 'developer', 'viewer'].map((name) => ({ role: `k8s_${name}`, groups: [`k8s-${name}s`] })),
    examples: [
      { ...ALICE, roles: ['k8s_developer'], groups: ['k8s-developers'], 'not-groups': ['k8s-admins'] },
      { ...ALICE, roles: ['member'], 'not-groups': ['k8s-admins', 'k8s-developers', 'k8s-viewers'] },
      { ...ALICE, roles: ['member'], 'keystone-groups': ['k8s-admins'], 'not-groups': ['k8s-admins'] },
    ],
  },
  /** A group for each role in each project, to bind by RBAC (docs/mapping.md, "One rule for all projects"). */
  'rbac-only': {
    groups: { prefix: 'keystone:' },
    rules: [{ role: ['admin', 'member', 'reader'], groups: ['{project.id}:{role}'] }],
    examples: [
      {
        ...ALICE,
        'project-id': '9e18d0fd315644ee826687296538ddc7',
        roles: ['member'],
        groups: ['9e18d0fd315644ee826687296538ddc7:member', 'keystone:9e18d0fd315644ee826687296538ddc7'],
        'not-groups': ['9e18d0fd315644ee826687296538ddc7:admin'],
      },
      { ...ALICE, 'keystone-groups': ['ops'], groups: ['keystone:ops'], 'not-groups': ['ops'] },
    ],
  },
  /** Whoever has the role reader in any project is in one group, to bind to `view`. */
  readers: {
    rules: [{ role: 'reader', groups: ['keystone-readers'] }],
    examples: [
      { ...ALICE, roles: ['reader'], groups: ['keystone-readers'] },
      { ...ALICE, roles: ['member'], 'not-groups': ['keystone-readers'] },
    ],
  },
} as const
