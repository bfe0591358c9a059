import * as v from 'valibot'
import type { Identity } from '../../../keystone/identity.ts'
import { toFaults } from '../../../lib/fault.ts'
import { type MappingExample, MappingExampleSchema } from '../../../mapping/mapping-document.ts'
import { toIdentity } from '../../../mapping/mapping-examples.ts'
import { CommandError, EXIT } from '../command-error.ts'
import { toAccessAttributes, toMappingFacts } from './kubernetes-records.ts'
import { given, type RawFacts } from './read-facts.ts'

/** The flags of `explain` that say who logs in. */
export interface UserFlags {
  readonly user?: string
  readonly userId?: string
  readonly domain?: string
  readonly project?: string
  readonly projectId?: string
  readonly projectDomain?: string
  readonly scope?: 'project' | 'domain' | 'system' | 'unscoped'
  readonly role?: readonly string[]
  readonly group?: readonly string[]
}

/** Facts for a mapping: those of the file, replaced by those of flags. */
export function toMappingExample(raw: RawFacts, flags: UserFlags): MappingExample {
  const record = toAccessAttributes(raw)
  const facts = {
    ...(record === undefined ? raw : given(toMappingFacts(record))),
    ...given({
      user: flags.user,
      'user-id': flags.userId,
      domain: flags.domain,
      project: flags.project,
      'project-id': flags.projectId,
      'project-domain': flags.projectDomain,
      scope: flags.scope,
      roles: flags.role,
      'keystone-groups': flags.group,
    }),
  }
  const parsed = v.safeParse(MappingExampleSchema, facts)
  if (parsed.success) return parsed.output
  const [fault] = toFaults(parsed.issues)
  throw new CommandError(EXIT.fault, `the facts: ${fault?.path} ${fault?.message}`, 'use the keys of examples')
}

/** The identity that Keystone would give for these facts. */
export function toExampleIdentity(example: MappingExample, homeDomain: string): Identity {
  return toIdentity(example, homeDomain)
}
