import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useCommandLine } from './command-line.ts'

// What operators have already: every policy imports, passes check, and can be explained.

const cli = useCommandLine()
const ROOT = resolve(import.meta.dirname, '../../../..')
const PROJECT_ID = '9e18d0fd315644ee826687296538ddc7'
const READ = ['get', 'list', 'watch']

const configMap = (policies: unknown) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'k8s-auth-policy', namespace: 'kube-system' },
  data: { policies: JSON.stringify(policies, null, 2) },
})

const version1 = (role: string, project: string | undefined, resource: object) => ({
  resource: { version: '*', ...resource },
  match: [{ type: 'role', values: [role] }, ...(project === undefined ? [] : [{ type: 'project', values: [project] }])],
})
const version2 = (key: string, verbs: readonly string[]) => ({
  users: { roles: ['member'], projects: ['demo'] },
  resource_permissions: { [key]: verbs },
})

/** The examples of the guide of k8s-keystone-auth, in their own words. */
const GUIDE = {
  'version 1': [version1('member', 'demo', { verbs: READ, resources: ['pods'], namespace: 'default' })],
  'version 2': [version2('*/pods', READ)],
  'subresources and paths': [
    ...['/api', '/api/*', '/apis', '/apis/*'].map((path) => ({
      nonresource: { verbs: ['get'], path },
      match: [{ type: 'role', values: ['utility_exec'] }],
    })),
    version1('utility_exec', undefined, { verbs: ['create'], resources: ['pods/exec'], namespace: 'utility' }),
  ],
  everything: [version2('*/*', ['*'])],
  'one namespace': [version2('default/pods', ['get', 'list'])],
  'a negated list': [version2("default/!['secrets', 'clusterroles']", ['create'])],
  'a negated namespace': [version2('!kube-system/*', ['*'])],
  'two negated halves': [version2("!kube-system/!['secrets', 'clusterroles']", ['*'])],
}

/** The default of the option keystone-policy of Charmed Kubernetes. */
const CHARMED = configMap([
  version1('k8s-viewers', 'k8s', { verbs: READ, resources: ['*'], namespace: '*' }),
  version1('k8s-users', 'k8s', { verbs: ['*'], resources: ['*'], namespace: 'default' }),
  version1('k8s-admins', 'k8s', { verbs: ['*'], resources: ['*'], namespace: '*' }),
])

const ofMagnum = (role: string, permissions: Readonly<Record<string, readonly string[]>>) => ({
  users: { roles: [role], projects: ['$PROJECT_ID'] },
  resource_permissions: permissions,
  nonresource_permissions: { '/healthz': ['get', 'post'] },
})
/** As Magnum and Catalyst Cloud publish them, for fewer resources: mixed case, and subresources by accident. */
const MAGNUM = [
  ofMagnum('k8s_admin', { '*/*': ['*'] }),
  ofMagnum('k8s_developer', {
    "!kube-system/['bindings', 'configmaps', 'pods', 'Secrets', 'replicationControllers', 'deployments']": ['*'],
    "*/['clusterrolebindings', 'clusterRoles', 'nodes', 'persistentVolumes']": ['get', 'list'],
  }),
  ofMagnum('k8s_viewer', { "!kube-system/['tokenReviews']": ['*'], "!kube-system/['pods', 'Deployments']": READ }),
]

/** The preset of `policy init`, whose placeholder is the variable again. */
function readPreset(): unknown {
  const preset = join(ROOT, 'src/cli/keystone-edge-auth/init/magnum-policy.json')
  return JSON.parse(readFileSync(preset, 'utf8').replaceAll('0123456789abcdef0123456789abcdef', '$PROJECT_ID'))
}

/** Policies as their owners have them. The text is what stands in the file. */
const FILES: readonly (readonly [string, string])[] = [
  ...Object.entries(GUIDE).flatMap(([name, policy]): [string, string][] => [
    [`${name}.json`, JSON.stringify(policy)],
    [`${name}, as a ConfigMap.json`, JSON.stringify(configMap(policy))],
  ]),
  ['Charmed Kubernetes.json', JSON.stringify(CHARMED)],
  ['Magnum.json', JSON.stringify(MAGNUM)],
  ['Magnum, as a ConfigMap.json', JSON.stringify(configMap(MAGNUM))],
  ['the preset magnum.json', JSON.stringify(readPreset())],
  ['a byte order mark.json', '\uFEFF[]\n'],
  [
    'a trailing comma.json',
    '[\n {"users":{"roles":["member"],"projects":["demo"]},"resource_permissions":{"*/pods":["get"]}},\n]\n',
  ],
  [
    'a ConfigMap.yaml',
    `apiVersion: v1
kind: ConfigMap
metadata:
  name: k8s-auth-policy
  namespace: kube-system
data:
  policies: |
    [
      {
        "users": {
          "projects": ["admin"],
          "roles": ["admin"]
        },
        "resource_permissions": {
          "*/pods": ["get", "list", "watch"]
        }
      }
    ]
`,
  ],
]

describe('policies that operators have', () => {
  it.each(FILES)('%s imports, passes check and can be explained', async (name, text) => {
    const file = cli.write(name, text)
    const out = `out of ${name}`
    const imported = await cli.json(['import', file, '--out', out, '--project-id', PROJECT_ID])
    const policy = `${out}/policy.json`
    expect(imported).toMatchObject({ code: 0, value: { files: [policy] } })
    const { changes } = imported.value as { readonly changes: readonly { readonly message: string }[] }
    expect(changes.filter(({ message }) => message.includes('left out'))).toEqual([])
    expect(await cli.json(['policy', 'check', policy])).toMatchObject({ code: 0, value: [{ faults: [] }] })
    const explained = await cli.json([
      ...['policy', 'explain', policy, '--user', 'alice', '--project', 'demo', '--role', 'member'],
      ...['--verb', 'get', '--resource', 'pods', '--namespace', 'default'],
    ])
    expect(explained).toMatchObject({ code: 0, value: { decision: expect.stringMatching(/^(?:allow|no_opinion)$/) } })
  })

  it.each([
    ['Charmed Kubernetes.json', ['--project', 'k8s', '--role', 'k8s-viewers'], 'list', 'allow'],
    ['Charmed Kubernetes.json', ['--project', 'k8s', '--role', 'k8s-viewers'], 'create', 'no_opinion'],
    ['Magnum.json', ['--project-id', PROJECT_ID, '--role', 'k8s_viewer'], 'list', 'allow'],
    ['Magnum.json', ['--project-id', PROJECT_ID, '--role', 'k8s_viewer'], 'delete', 'no_opinion'],
    ['Magnum.json', ['--project', 'demo', '--role', 'k8s_admin'], 'list', 'no_opinion'],
    ['the preset magnum.json', ['--project-id', PROJECT_ID, '--role', 'k8s_developer'], 'create', 'allow'],
    ['the preset magnum.json', ['--project-id', PROJECT_ID, '--role', 'k8s_viewer'], 'create', 'no_opinion'],
  ])('%s: %j may %s deployments: %s', async (name, who, verb, decision) => {
    const policy = `out of ${name}/policy.json`
    const request = ['--verb', verb, '--resource', 'deployments', '--api-group', 'apps', '--namespace', 'default']
    const { value } = await cli.json(['policy', 'explain', policy, ...who, ...request])
    expect(value).toMatchObject({ decision })
  })
})

describe('sync configurations that operators have', () => {
  it.each([
    [
      'role mappings.yaml',
      'role-mappings:\n  - keystone-role: member\n    groups: ["project-1"]\n',
      'bob',
      'project-1',
    ],
    [
      'underscores.json',
      '{"data_types_to_sync":["projects","role_assignments"],"namespace_format":"%i","role-mappings":[{"keystone-role":"member","username":"myuser","groups":["mytest"]}]}',
      'myuser',
      'mytest',
    ],
  ])('%s imports, passes check and can be explained', async (name, text, username, group) => {
    const out = `out of ${name}`
    const mapping = `${out}/mapping.json`
    const imported = await cli.json(['import', cli.write(name, text), '--out', out])
    expect(imported).toMatchObject({ code: 0, value: { files: [mapping] } })
    expect(await cli.json(['mapping', 'check', mapping])).toMatchObject({ code: 0, value: [{ faults: [] }] })
    const explained = await cli.json(['mapping', 'explain', mapping, '--user', 'bob', '--role', 'member'])
    expect(explained).toMatchObject({
      code: 0,
      value: { authenticated: true, user: { username, groups: expect.arrayContaining([group]) } },
    })
  })
})

describe('the corpus', () => {
  const corpus = join(ROOT, 'test/corpus')
  const groups = readdirSync(corpus)
    .filter((name) => name.endsWith('.json') && !['principals.json', 'refused.json'].includes(name))
    .flatMap((name) => JSON.parse(readFileSync(join(corpus, name), 'utf8')) as { readonly policy: unknown }[])

  it('imports policy by policy, and all of them pass check together', async () => {
    const unique = [...new Map(groups.map(({ policy }) => [JSON.stringify(policy), policy]))]
    const files: string[] = []
    for (const [index, [text]] of unique.entries()) {
      const out = `corpus-${index}`
      const { code } = await cli.run(['import', '-', '--out', out, '-o', 'json'], { stdin: text })
      expect([code, text]).toEqual([0, text])
      files.push(`${out}/policy.json`)
    }
    expect(files.length).toBeGreaterThan(30)
    const { code, value } = await cli.json(['policy', 'check', ...files])
    expect(code).toBe(0)
    expect(value).toEqual(files.map((file) => expect.objectContaining({ file, faults: [] })))
  }, 120_000)

  it('has documents that are refused, and check names every fault of them', async () => {
    const refused = JSON.parse(readFileSync(join(corpus, 'refused.json'), 'utf8')) as {
      readonly document: unknown
      readonly faults: Readonly<Record<string, string>>
    }[]
    const files = refused.map(({ document }, index) => cli.write(`refused-${index}.json`, JSON.stringify(document)))
    const { code, value } = await cli.json(['policy', 'check', ...files])
    expect(code).toBe(1)
    const found = (value as { readonly faults: readonly { readonly path: string; readonly message: string }[] }[]).map(
      ({ faults }) => Object.fromEntries(faults.map(({ path, message }) => [path, message])),
    )
    expect(found).toEqual(refused.map(({ faults }) => faults))
  })
})
