import * as v from 'valibot'
import { notFound } from './errors.ts'
import type { State } from './keystone-state.ts'

/** Roles as application credentials and trusts name them: by id, or by name. */
export const RoleReferences = v.array(v.object({ id: v.optional(v.string()), name: v.optional(v.string()) }))

/** The ids of the roles. @throws KeystoneError 404 */
export function roleIdsOf(state: State, references: v.InferOutput<typeof RoleReferences>): string[] {
  return references.map(({ id, name }) => {
    const found = [...state.roles.values()].find((role) => (id === undefined ? role.name === name : role.id === id))
    if (found === undefined) throw notFound('role', id ?? name ?? '')
    return found.id
  })
}
