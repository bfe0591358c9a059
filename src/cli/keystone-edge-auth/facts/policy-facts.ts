import * as v from 'valibot'
import type { AccessAttributes } from '../../../k8s/subject-access-review.ts'
import { toFaults } from '../../../lib/fault.ts'
import { PolicyExampleSchema } from '../../../policy/policy-document.ts'
import { toAttributes } from '../../../policy/policy-examples.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import { toAccessAttributes } from './kubernetes-records.ts'
import type { UserFlags } from './mapping-facts.ts'
import { given, type RawFacts } from './read-facts.ts'

/** The flags of `explain` that say what is asked. */
export interface RequestFlags {
  readonly verb?: string
  readonly resource?: string
  readonly subresource?: string
  readonly apiGroup?: string
  readonly namespace?: string
  readonly name?: string
  readonly path?: string
}

/** The request that kube-apiserver would ask about: facts of the file, replaced by those of flags. */
export function toRequest(raw: RawFacts, flags: UserFlags & RequestFlags, homeDomain: string): AccessAttributes {
  const record = toAccessAttributes(raw)
  if (record !== undefined) return record
  const facts = { ...toPolicyKeys(raw), ...given(ofFlags(flags)), decision: 'no_opinion' }
  if (!('verb' in facts)) throw usageError('there is no verb', 'give --verb, for example --verb get')
  const hasResource = isText(facts, 'resource')
  if (hasResource === isText(facts, 'path'))
    throw usageError('expected exactly one of a resource and a path', 'give --resource pods, or --path /metrics')
  const parsed = v.safeParse(PolicyExampleSchema, facts)
  if (parsed.success) return toAttributes(parsed.output, homeDomain)
  const [fault] = toFaults(parsed.issues)
  throw new CommandError(EXIT.fault, `the facts: ${fault?.path} ${fault?.message}`, 'use the keys of examples')
}

function isText(facts: RawFacts, key: string): boolean {
  return facts[key] !== undefined && facts[key] !== ''
}

function ofFlags(flags: UserFlags & RequestFlags): RawFacts {
  return {
    user: flags.user,
    uid: flags.userId,
    groups: flags.group,
    roles: flags.role,
    project: flags.project,
    'project-id': flags.projectId,
    'project-domain': flags.projectDomain,
    verb: flags.verb,
    resource: flags.resource,
    subresource: flags.subresource,
    group: flags.apiGroup,
    namespace: flags.namespace,
    name: flags.name,
    path: flags.path,
  }
}

/** The facts of a mapping's example, under the keys of a policy's. */
function toPolicyKeys(raw: RawFacts): RawFacts {
  const { 'user-id': uid, domain: _domain, scope: _scope, 'keystone-groups': groups, ...facts } = raw
  return { ...given({ uid, groups }), ...facts }
}
