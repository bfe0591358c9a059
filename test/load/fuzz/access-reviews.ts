import type { Random } from '../harness/seeded-random.ts'
import { hostileText } from './hostile-text.ts'
import { writeMutated } from './mutate-json.ts'

const IDENTITY = 'alpha.kubernetes.io/identity'

/** A SubjectAccessReview close to what the policy (world.ts) allows; half of them are mutated. */
export function anyAccessReview(random: Random): string {
  const version = random.pick(['v1', 'v1beta1'])
  const body = {
    apiVersion: `authorization.k8s.io/${version}`,
    kind: 'SubjectAccessReview',
    spec: {
      user: random.pick(['alice', 'bob', 'system:admin', 'system:serviceaccount:a:b', hostileText(random)]),
      uid: random.pick(['', '0'.repeat(32), hostileText(random)]),
      [version === 'v1' ? 'groups' : 'group']: list(random, ['system:authenticated', 'developers', 'system:nodes']),
      extra: anyExtra(random),
      ...anyAttributes(random),
      ...(random.chance(0.3) && granted(random)),
    },
  }
  return random.chance(0.5) ? JSON.stringify(body) : writeMutated(body, { random, rate: random.pick([0.03, 0.1, 0.3]) })
}

/** What the policy allows, before anything is done to it. */
function granted(random: Random): Record<string, unknown> {
  const isMember = random.chance(0.5)
  const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'default', name: hostileText(random) }
  const nonResourceAttributes = { verb: 'get', path: `/logs/${hostileText(random)}` }
  return {
    extra: {
      [`${IDENTITY}/roles`]: [isMember ? 'member' : 'reader'],
      [`${IDENTITY}/project/name`]: ['demo'],
      'keystone.openstack.org/project-domain-id': ['default'],
    },
    resourceAttributes: isMember ? resourceAttributes : undefined,
    nonResourceAttributes: isMember ? undefined : nonResourceAttributes,
  }
}

function anyExtra(random: Random): Record<string, unknown> {
  const extra: Record<string, unknown> = {
    [`${IDENTITY}/roles`]: list(random, ['member', 'member', 'reader', 'admin']),
    [`${IDENTITY}/project/name`]: list(random, ['demo', 'demo', 'other-demo']),
    [`${IDENTITY}/project/id`]: list(random, ['0'.repeat(32)]),
    'keystone.openstack.org/project-domain-id': list(random, ['default', 'default', 'd'.repeat(32)]),
    [hostileText(random)]: [hostileText(random)],
  }
  for (const key of Object.keys(extra)) if (random.chance(0.06)) delete extra[key]
  return random.chance(0.05) ? {} : extra
}

function list(random: Random, usual: readonly [string, ...string[]]): string[] {
  const count = random.pick([1, 1, 1, 1, 1, 1, 1, 0, 2, 3])
  return Array.from({ length: count }, () => (random.chance(0.97) ? random.pick(usual) : hostileText(random)))
}

function anyAttributes(random: Random): Record<string, unknown> {
  const part = (usual: readonly [string, ...string[]]): string =>
    random.chance(0.95) ? random.pick(usual) : random.pick([hostileText(random), random.pick(usual).toUpperCase()])
  const resourceAttributes = {
    verb: part(['get', 'get', 'list', 'create', '*']),
    resource: part(['pods', 'pods', 'secrets', 'configmaps', 'selfsubjectaccessreviews', '*']),
    namespace: part(['default', 'default', 'kube-system', '', '*']),
    group: part(['', '', 'apps', 'authorization.k8s.io']),
    subresource: part(['', '', '', 'exec', 'log']),
    name: hostileText(random),
    version: 'v1',
  }
  const nonResourceAttributes = {
    verb: part(['get', 'get', 'post', '*']),
    path: part(['/logs/x', '/logs/', '/logs', '/logs/../metrics', '/healthz', '/api', '/metrics', '*']),
  }
  if (random.chance(0.03)) return { resourceAttributes, nonResourceAttributes }
  return random.chance(0.65) ? { resourceAttributes } : { nonResourceAttributes }
}
