import { randomBytes } from 'node:crypto'
import { serveWebhook } from '../../harness/bundled-webhook.ts'
import { accessReview } from '../../harness/reviews.ts'
import { serveDemoKeystone } from '../../harness/served-keystone.ts'
import type { Stage } from '../../harness/stage.ts'
import { toAccessContender } from '../contenders.ts'
import { servePeer, whyNoPeer } from '../peer.ts'
import type { Pair, Scenario } from '../scenario.ts'
import { prepareWrk, type Wrk } from '../wrk.ts'

type Entry = (index: number) => { role: string; namespace: string }

/** A decision over 1,000 entries, each for a role of its own, against one over 2. */
export const policyOfManyRoles: Scenario = {
  name: 'policy-many-roles',
  title: 'A SubjectAccessReview under a policy of 1,000 entries for as many roles, and under one of 2',
  target: 0.8,
  start: (stage) => start(stage, (index) => ({ role: `role-${index}`, namespace: `namespace-${index}` })),
}

/** The same where all entries are for the caller's own role, each for a namespace of its own. */
export const policyOfOwnRole: Scenario = {
  name: 'policy-own-role',
  title: "A SubjectAccessReview under a policy of 1,000 entries for the caller's role, and under one of 2",
  target: 0.8,
  start: (stage) => start(stage, (index) => ({ role: 'member', namespace: `namespace-${index}` })),
}

/** The same policies of 1,000 entries against k8s-keystone-auth. */
export const policyAgainstPeer: readonly Scenario[] = [
  {
    name: 'policy-many-roles-peer',
    title: 'A SubjectAccessReview under 1,000 entries for as many roles, here and in k8s-keystone-auth',
    target: 4,
    unavailable: whyNoPeer,
    start: (stage) => startAgainstPeer(stage, (index) => ({ role: `role-${index}`, namespace: `namespace-${index}` })),
  },
  {
    name: 'policy-own-role-peer',
    title: "A SubjectAccessReview under 1,000 entries for the caller's role, here and in k8s-keystone-auth",
    target: 20,
    unavailable: whyNoPeer,
    start: (stage) => startAgainstPeer(stage, (index) => ({ role: 'member', namespace: `namespace-${index}` })),
  },
]

async function startAgainstPeer(stage: Stage, entry: Entry): Promise<Pair> {
  const { keystoneUrl, credential, wrk } = await prepare(stage, entry)
  const policy = policyOf(0, entry)
  const documents = { mapping: '{}', policy }
  const webhook = await serveWebhook(stage, { name: 'webhook', keystoneUrl, credential, documents })
  return {
    subject: toAccessContender('keystone-edge-auth', webhook, wrk),
    baseline: await servePeer(stage, { policy, keystoneUrl, wrk }),
  }
}

async function start(stage: Stage, entry: Entry): Promise<Pair> {
  const { keystoneUrl, credential, wrk } = await prepare(stage, entry)
  const serve = (name: string, from: number) =>
    serveWebhook(stage, { name, keystoneUrl, credential, documents: { mapping: '{}', policy: policyOf(from, entry) } })
  return {
    subject: toAccessContender('1,000 entries', await serve('many-entries', 0), wrk),
    baseline: toAccessContender('2 entries', await serve('few-entries', 998), wrk),
  }
}

/** Keystone, and wrk with what the last entry allows: the last entry of the long policy is the last of the short one. */
async function prepare(stage: Stage, entry: Entry): Promise<{ keystoneUrl: string; credential: string; wrk: Wrk }> {
  const { url: keystoneUrl } = await serveDemoKeystone(stage)
  const credential = randomBytes(32).toString('base64url')
  const { role, namespace } = entry(999)
  const wrk = prepareWrk(stage, { authorization: `Bearer ${credential}`, body: accessReview(role, namespace) })
  return { keystoneUrl, credential, wrk }
}

function policyOf(from: number, entry: Entry): string {
  const entries = Array.from({ length: 1_000 - from }, (_, offset) => {
    const { role, namespace } = entry(from + offset)
    return { users: { roles: [role], projects: ['demo'] }, resource_permissions: { [`${namespace}/pods`]: ['get'] } }
  })
  return JSON.stringify(entries)
}
