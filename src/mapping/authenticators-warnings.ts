import * as v from 'valibot'
import type { Warning } from '../lib/fault.ts'
import { AuthenticatorsDocumentSchema } from './authenticators-document.ts'

const MASTERS = 'system:masters'

/** What is valid in a document `authenticators` and dangerous or without effect. A document with faults has none. */
export function findAuthenticatorsWarnings(document: unknown): Warning[] {
  const parsed = v.safeParse(AuthenticatorsDocumentSchema, document)
  if (!parsed.success) return []
  const { static: tokens, basic, 'system-groups': listed } = parsed.output
  const find = (path: string, groups: readonly string[]): Warning[] =>
    groups.flatMap((group, index) =>
      group === MASTERS
        ? [{ path: `${path}[${index}]`, message: `grants ${MASTERS}, which passes every authorizer of Kubernetes` }]
        : [],
    )
  const users = Object.entries(basic?.users ?? {})
  const given = new Set(
    [...tokens.map(({ groups }) => groups), basic?.groups ?? [], ...users.map(([, all]) => all)].flat(),
  )
  return [
    ...tokens.flatMap(({ groups }, index) => find(`static[${index}].groups`, groups)),
    ...find('basic.groups', basic?.groups ?? []),
    ...users.flatMap(([name, groups]) => find(`basic.users.${name}`, groups)),
    ...listed.flatMap((group, index) =>
      given.has(group) ? [] : [{ path: `system-groups[${index}]`, message: 'is listed, and nobody gets this group' }],
    ),
  ]
}
