import { err, ok, type Result } from '../result.ts'
import type { Identity } from './identity.ts'
import { fold, hasHiddenCharacter, qualifyName, readsAsId } from './names.ts'

const NAMES = ['user.name', 'user.domain.name', 'project.name', 'project.domain.name', 'role'] as const
const IDS = ['user.id', 'user.domain.id', 'project.id', 'project.domain.id'] as const
type Placeholder = (typeof NAMES)[number] | (typeof IDS)[number]

interface Hole {
  readonly placeholder: Placeholder
  /** The literal text right behind it. */
  readonly following: string
}

/** A text with placeholders, prepared: `before`, then each hole with what follows it. */
export interface Template {
  readonly before: string
  readonly holes: readonly Hole[]
}

/** What a template is filled with. */
export interface TemplateFacts {
  readonly identity: Identity
  readonly homeDomain: string
  /** The role that `{role}` stands for. */
  readonly role?: string
  /** Whether a name may fill a placeholder although it reads as an id. */
  readonly idNames: boolean
}

/** A rendered text, and whether a name that somebody chose in Keystone is part of it. */
export type Rendered =
  | { readonly kind: 'text'; readonly text: string; readonly fromName: boolean }
  /** The token has nothing to fill a placeholder with. */
  | { readonly kind: 'unfilled' }
  /** A name could pass as something else here: as an id, or as a name together with the text behind it. */
  | { readonly kind: 'ambiguous' }

/** Reads a template; the error says what is wrong with it. */
export function parseTemplate(text: string): Result<Template, string> {
  if (text === '') return err('expected text')
  if (hasHiddenCharacter(text)) return err('holds a control, format or zero-width character')
  const parts = text.split(/(\{[^{}]*\})/)
  const holes: Hole[] = []
  for (let index = 1; index < parts.length; index += 2) {
    const placeholder = (parts[index] ?? '').slice(1, -1)
    const following = parts[index + 1] ?? ''
    if (!isPlaceholder(placeholder)) {
      return err(`{${isWord(placeholder) ? placeholder : '…'}} is no placeholder; there are ${describePlaceholders()}`)
    }
    if (following === '' && index + 2 < parts.length) return err('two placeholders touch: put text between them')
    holes.push({ placeholder, following })
  }
  const literals = parts.filter((_, index) => index % 2 === 0)
  if (literals.some((literal) => /[{}]/.test(literal))) return err('has a brace that belongs to no placeholder')
  return ok({ before: parts[0] ?? '', holes })
}

/** The text of a template without placeholders. */
export function literalOf({ before, holes }: Template): string | undefined {
  return holes.length === 0 ? before : undefined
}

/** Fills a template. */
export function render(template: Template, facts: TemplateFacts): Rendered {
  let text = template.before
  let fromName = false
  for (const { placeholder, following } of template.holes) {
    const value = fill(placeholder, facts)
    if (value === undefined || value === '') return { kind: 'unfilled' }
    if (isName(placeholder)) {
      fromName = true
      if ((!facts.idNames && readsAsId(fold(value))) || (following !== '' && value.includes(following)))
        return { kind: 'ambiguous' }
    }
    text += value + following
  }
  return { kind: 'text', text, fromName }
}

function fill(placeholder: Placeholder, { identity, homeDomain, role }: TemplateFacts): string | undefined {
  const { user, scope } = identity
  const project = scope.kind === 'project' ? scope : undefined
  switch (placeholder) {
    case 'user.name':
      return qualifyName(user.name, user.domain.id, homeDomain)
    case 'user.id':
      return user.id
    case 'user.domain.name':
      return user.domain.name
    case 'user.domain.id':
      return user.domain.id
    case 'project.name':
      return project && qualifyName(project.name, project.domain.id, homeDomain)
    case 'project.id':
      return project?.id
    case 'project.domain.name':
      return project?.domain.name
    case 'project.domain.id':
      return project?.domain.id
    case 'role':
      return role
  }
}

function isPlaceholder(text: string): text is Placeholder {
  return isName(text) || IDS.some((id) => id === text)
}

function isName(text: string): boolean {
  return NAMES.some((name) => name === text)
}

function isWord(text: string): boolean {
  return /^[a-z.-]{1,40}$/i.test(text)
}

function describePlaceholders(): string {
  return [...NAMES, ...IDS].map((name) => `{${name}}`).join(', ')
}
