import fc from 'fast-check'
import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'
import type { Entry, ObjectDocument, Project } from './reference.ts'

// Values that meet often: documents and requests are put together from the same few words, in two cases, with the
// signs that mean something in between.

const ID = '4'.repeat(32)
const DOMAINS = ['default', 'd'.repeat(32)]
export const HOME = 'default'
const verb = fc.constantFrom('get', 'get', 'list', 'create', 'GET', '*', '')
const namespace = fc.constantFrom('a', 'a', 'b', 'A', '', '*', '!a')
const resourceName = fc.constantFrom('pods', 'pods', 'secrets', 'Pods', '*', '', 'pods.apps', 'selfsubjectreviews')
const subresource = fc.constantFrom('', '', 'exec', 'log', 'Exec', '*')
const group = fc.constantFrom('', '', 'apps', 'Apps', 'authentication.k8s.io')
const path = fc.constantFrom(
  '/api',
  '/api/v1',
  '/apis',
  '/apix',
  '/version',
  '/version/',
  '/logs',
  '/logs/a',
  '/Logs',
  '*',
  '/',
  '',
)
const role = fc.constantFrom('member', 'reader', 'Member', '*')
const name = fc.constantFrom('demo', 'other', ID, '*', '')
const user = fc.constantFrom('alice', 'bob', ID, 'system:x', '')
const groupName = fc.constantFrom('ops', 'system:authenticated', 'system:nodes', 'dev')
const some = <T>(values: fc.Arbitrary<T>, maxLength = 2) => fc.array(values, { maxLength })
const optional = { requiredKeys: [] }

const word = fc.oneof(
  { weight: 6, arbitrary: namespace },
  { weight: 1, arbitrary: fc.constantFrom(' a ', '[', ']', '!!a', 'a]b') },
)
const list = (words: fc.Arbitrary<string>) =>
  some(words, 3).map((all) => `[${all.map((one) => `'${one}'`).join(', ')}]`)
const half = (words: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.constantFrom('', '', '', '!'), fc.oneof(fc.constant('*'), words, words, list(words)))
    .map((two) => two.join(''))
const key = fc
  .oneof(
    { weight: 5, arbitrary: fc.tuple(half(word), half(resourceName)) },
    { weight: 3, arbitrary: fc.tuple(half(word), half(resourceName), half(subresource)) },
    { weight: 1, arbitrary: fc.array(word, { maxLength: 4 }) },
  )
  .map((parts) => parts.join('/'))
const pathKey = fc.tuple(path, fc.constantFrom('', '', '*', '/*', '**')).map((two) => two.join(''))
const permissions = (keys: fc.Arbitrary<string>) => fc.dictionary(keys, some(verb), { maxKeys: 3 })

const textEntry = {
  users: fc.record({ roles: some(role), projects: some(name) }, optional),
  resource_permissions: permissions(key),
  nonresource_permissions: permissions(pathKey),
  nonresource: fc.record({ verbs: some(verb), path: pathKey }, optional),
}
const v1Resource = {
  verbs: some(verb),
  resources: some(
    fc.oneof(
      resourceName,
      fc.tuple(resourceName, subresource).map((two) => two.join('/')),
    ),
  ),
  version: fc.oneof(group, fc.constant('*')),
  namespace,
}
const value = fc.oneof(role, name, user, groupName)
const type = fc.constantFrom('user', 'group', 'project', 'role')

/** Entries of the list form, as `parsePolicy` accepts them. */
export const listEntry: fc.Arbitrary<Entry> = fc.record(
  {
    ...textEntry,
    resource: fc.record(v1Resource, { requiredKeys: ['version', 'namespace'] }),
    match: some(
      fc.record(
        {
          type: fc.oneof({ weight: 6, arbitrary: type }, { weight: 1, arbitrary: fc.constant('domain') }),
          values: some(value),
        },
        { requiredKeys: ['type'] },
      ),
    ),
  },
  optional,
)

const project: fc.Arbitrary<Project> = fc.oneof(
  { weight: 3, arbitrary: name },
  { weight: 1, arbitrary: fc.record({ name: fc.constantFrom('demo', 'other'), domain: fc.constantFrom(...DOMAINS) }) },
)
const condition = fc.oneof(
  fc.record({ type, values: some(value) }, { requiredKeys: ['type'] }),
  fc.record({ type: fc.constant('project'), values: some(project) }),
)

/** Entries of the object form. */
export const objectEntry: fc.Arbitrary<Entry> = fc.record(
  {
    ...textEntry,
    users: fc.record({ roles: some(role), projects: some(project) }, optional),
    resource: fc.record(v1Resource, optional),
    match: some(condition),
  },
  optional,
)

export const objectDocument: fc.Arbitrary<ObjectDocument> = fc.record(
  { policies: some(objectEntry, 5), on_no_match: fc.constantFrom('no_opinion' as const, 'deny' as const) },
  { requiredKeys: ['policies'] },
)
export const listDocument: fc.Arbitrary<Entry[]> = some(listEntry, 5)

const IDENTITY = 'alpha.kubernetes.io/identity'
const keystoneExtra = fc.record(
  {
    [`${IDENTITY}/roles`]: some(role, 3),
    [`${IDENTITY}/project/id`]: fc.oneof(
      { weight: 5, arbitrary: fc.constant([ID]) },
      { weight: 1, arbitrary: some(name, 1) },
    ),
    [`${IDENTITY}/project/name`]: some(name, 1),
    'keystone.openstack.org/project-domain-id': some(fc.constantFrom(...DOMAINS, 'default'), 2),
    'example.org/other': some(name),
  },
  optional,
)

/** Reviews by users of Keystone and others. */
export const anyAttributes: fc.Arbitrary<AccessAttributes> = fc.record({
  user,
  uid: fc.constantFrom('', ID, 'alice'),
  groups: some(groupName),
  extra: keystoneExtra,
  request: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('resource' as const),
        verb,
        group,
        resource: resourceName,
        subresource,
        namespace,
        name: fc.constant(''),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('nonresource' as const), verb, path }) },
  ),
})

/** JSON of any kind, and much that is nearly a policy. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.letrec<{ near: unknown }>((tie) => ({
    near: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, '', '$X', 'get', 'role', '*/pods', 'deny', 0, true, ID),
      fc.array(tie('near'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          'policies',
          'on_no_match',
          'examples',
          'users',
          'roles',
          'projects',
          'resource_permissions',
          'nonresource_permissions',
          'resource',
          'nonresource',
          'match',
          'type',
          'values',
          'verbs',
          'path',
          'version',
          'namespace',
          '*/pods',
          'default/[',
          '__proto__',
          'constructor',
          'name',
          'domain',
        ),
        tie('near'),
        { maxKeys: 4 },
      ),
    ),
  })).near,
)
