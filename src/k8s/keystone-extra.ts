/** k8s-keystone-auth's prefix: a user with any key below it was authenticated by k8s-keystone-auth or by this webhook. */
export const IDENTITY_PREFIX = 'alpha.kubernetes.io/identity/'

/**
 * The `extra` keys of a Keystone user: k8s-keystone-auth's own, then those of this webhook. The mapping writes the keys,
 * and the policy reads them. All are lower-case, because the names of HTTP headers, which carry `extra` in
 * impersonation, lose upper case.
 */
export const EXTRA = {
  projectId: `${IDENTITY_PREFIX}project/id`,
  projectName: `${IDENTITY_PREFIX}project/name`,
  roles: `${IDENTITY_PREFIX}roles`,
  userDomainId: `${IDENTITY_PREFIX}user/domain/id`,
  userDomainName: `${IDENTITY_PREFIX}user/domain/name`,
  projectDomainId: 'keystone.openstack.org/project-domain-id',
  scope: 'keystone.openstack.org/scope',
  methods: 'keystone.openstack.org/methods',
  auditIds: 'keystone.openstack.org/audit-ids',
  applicationCredentialId: 'keystone.openstack.org/application-credential-id',
  trustId: 'keystone.openstack.org/trust-id',
  authenticator: 'keystone-edge-auth/authenticator',
  /** Set while Keystone cannot be asked whether the token is still valid. */
  stale: 'keystone-edge-auth/stale',
} as const
