import type { CompiledRule, RenderUsername } from './compiled-mapping.ts'
import { hasHiddenCharacter, readsAsSystemName } from './names.ts'
import { render, type Template } from './template.ts'

/**
 * Prepares user names. Two users must not render to one name, so a Keystone user's name may hold no text that follows
 * `{user.name}` in any user name of the document, and may not read as an id where the document names users by theirs.
 */
export function createUsernameRenderer(
  fallback: Template,
  rules: readonly CompiledRule[],
  homeDomain: string,
): RenderUsername {
  const holes = [fallback, ...rules.flatMap(({ username }) => username ?? [])].flatMap((template) => template.holes)
  const suffixes = holes.flatMap(({ placeholder, following }) =>
    placeholder === 'user.name' && following !== '' ? following : [],
  )
  const idNames = !holes.some(({ placeholder }) => placeholder === 'user.id')
  return (identity, matched) => {
    const template = matched.findLast(({ username }) => username !== undefined)?.username ?? fallback
    if (template.holes.length > 0 && suffixes.some((suffix) => identity.user.name.includes(suffix))) return undefined
    const rendered = render(template, { identity, homeDomain, idNames })
    if (rendered.kind !== 'text' || hasHiddenCharacter(rendered.text) || readsAsSystemName(rendered.text))
      return undefined
    return rendered.text
  }
}
