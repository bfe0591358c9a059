import { hasHiddenCharacter } from '../lib/hidden-characters.ts'
import type { CompiledRule, RenderUsername } from './compiled-mapping.ts'
import { looksLikeSystemName, type Naming } from './names.ts'
import { createOwnership } from './ownership.ts'
import { literalOf, render, type Template } from './template.ts'

/**
 * Prepares user names. Two users must not render to one name. A text that several user names of the document could make
 * belongs to the one that says more about it: where one is `admin:{user.name}`, a user who calls himself `admin:root`
 * gets no name by `{user.name}`. A literal one belongs to those whom its rule gives it. And no name may read as an id
 * where the document names users by theirs.
 */
export function createUsernameRenderer(
  fallback: Template,
  rules: readonly CompiledRule[],
  naming: Naming,
): RenderUsername {
  const templates = [fallback, ...rules.flatMap(({ username }) => username ?? [])]
  const literals = new Set(templates.flatMap((template) => literalOf(template) ?? []))
  const owns = createOwnership(templates, { exclusive: true })
  const idNames = !templates.some(({ holes }) => holes.some(({ placeholder }) => placeholder === 'user.id'))
  return (identity, matched) => {
    const names = matched.flatMap(({ username }) => username ?? [])
    const template = names.at(-1) ?? fallback
    const rendered = render(template, { identity, naming, idNames })
    if (rendered.kind !== 'text') return undefined
    const { text } = rendered
    if (hasHiddenCharacter(text) || looksLikeSystemName(text)) return undefined
    if (literalOf(template) !== undefined) return text
    if (literals.has(text) && !names.some((name) => literalOf(name) === text)) return undefined
    return owns(template, text) ? text : undefined
  }
}
