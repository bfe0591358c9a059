import { describe, expect, it } from 'vitest'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()

describe('mapping diff', () => {
  const before = {
    rules: [{ role: 'member', groups: ['developers'] }],
    examples: [{ user: 'alice', roles: ['member'], username: 'alice' }],
  }

  it('says nothing, with 0, of documents that mean the same', async () => {
    const old = cli.write('old.json', before)
    const now = cli.write('new.yaml', 'rules:\n  - role: [member]\n    groups: [developers]\n')
    expect(await cli.json(['mapping', 'diff', old, now])).toEqual({ code: 0, value: { gained: [], lost: [] } })
  })

  it('names what the users of the examples gain and lose, the most harmful first, with 1', async () => {
    const old = cli.write('old.json', before)
    const now = cli.write('new.json', {
      rules: [{ user: 'alice', groups: ['viewers', 'system:masters'] }],
      'system-groups': ['system:masters'],
    })
    const { code, value } = await cli.json(['mapping', 'diff', old, now])
    expect(code).toBe(1)
    expect(value).toEqual({
      gained: expect.arrayContaining([{ principal: 'user alice; roles member', group: 'viewers' }]),
      lost: [
        { principal: 'roles member', group: 'developers' },
        { principal: 'user alice; roles member', group: 'developers' },
      ],
    })
    expect(value).toMatchObject({ gained: [{ group: 'system:masters' }, { group: 'system:masters' }, {}, {}] })
    const { stdout } = await cli.run(['mapping', 'diff', old, now])
    expect(stdout).toContain('- user alice; roles member: group developers\n')
  })

  it('names log-ins that are lost, and users of --facts', async () => {
    const old = cli.write('old.json', {})
    const now = cli.write('new.json', { deny: { users: ['eve'] } })
    expect((await cli.run(['mapping', 'diff', old, now])).code).toBe(0)
    const facts = cli.write('facts.yaml', '- { user: eve }\n- { user: alice }\n')
    expect(await cli.json(['mapping', 'diff', old, now, '--facts', facts])).toMatchObject({
      code: 1,
      value: { gained: [], lost: [{ principal: 'user eve', permission: 'log in as eve' }, {}] },
    })
  })

  it('prints the report of check for a document with faults', async () => {
    const file = cli.write('faulty.json', { rule: [] })
    const { code, value } = await cli.json(['mapping', 'diff', cli.write('old.json', {}), file])
    expect([code, value]).toMatchObject([1, [{ file, faults: [{ path: 'rule' }] }]])
  })
})

describe('policy diff', () => {
  const users = { roles: ['member'], projects: ['demo'] }

  it('names permissions that entries add and remove, without examples', async () => {
    const old = cli.write('old.json', [{ users, resource_permissions: { 'default/pods': ['get'] } }])
    const now = cli.write('new.json', [
      { users, resource_permissions: { "default/['pods', 'secrets']": ['list', 'get'] } },
    ])
    const principal = 'project demo; roles member'
    expect(await cli.json(['policy', 'diff', old, now])).toEqual({
      code: 1,
      value: {
        gained: [
          { principal, permission: 'get secrets in default' },
          { principal, permission: 'list secrets in default' },
          { principal, permission: 'list pods in default' },
        ],
        lost: [],
      },
    })
    expect(await cli.json(['policy', 'diff', now, old])).toMatchObject({
      code: 1,
      value: { gained: [], lost: [{}, {}, {}] },
    })
    expect((await cli.run(['policy', 'diff', now, now])).code).toBe(0)
  })

  it('asks the requests of all entries for the users of examples and of --facts', async () => {
    const old = cli.write('old.json', { policies: [], examples: [] })
    const now = cli.write('new.json', { policies: [{ resource_permissions: { '*/pods/exec': ['create'] } }] })
    const facts = cli.write('facts.json', [{ user: 'bob', roles: ['reader'], project: 'demo' }])
    const { value } = await cli.json(['policy', 'diff', old, now, '--facts', facts])
    expect(value).toMatchObject({
      gained: expect.arrayContaining([
        { principal: 'user bob; project demo; roles reader', permission: 'create pods/exec in kube-system' },
      ]),
    })
  })

  it('names what RBAC is no longer asked for', async () => {
    const example = { roles: ['member'], project: 'demo', verb: 'get', resource: 'pods', namespace: 'a' }
    const old = cli.write('old.json', { examples: [{ ...example, decision: 'no_opinion' }] })
    const now = cli.write('new.json', { on_no_match: 'deny' })
    expect((await cli.json(['policy', 'diff', old, now])).value).toEqual({
      gained: [],
      lost: [{ principal: 'project demo; roles member', permission: 'get pods in a, if RBAC allows it' }],
    })
  })

  it('compares 5,000 entries', async () => {
    const entries = (verb: string) =>
      Array.from({ length: 5000 }, (_, index) => ({
        users: { roles: [`r${index}`], projects: ['demo'] },
        resource_permissions: { [`n${index}/pods`]: [verb] },
      }))
    const old = cli.write('old.json', entries('get'))
    const now = cli.write('new.json', entries('list'))
    const { value } = await cli.json(['policy', 'diff', old, now])
    expect(value).toMatchObject({ gained: { length: 5000 }, lost: { length: 5000 } })
  })
})
