import type { Identity } from '../keystone/identity.ts'
import { isKeystoneDomainId, isKeystoneId } from '../keystone/ids.ts'
import { hasHiddenCharacter } from '../lib/hidden-characters.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { fold, looksFederated, type Naming, qualifyFederatedName, qualifyName } from './names.ts'

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
interface TemplateFacts {
  readonly identity: Identity
  readonly naming: Naming
  /** The role that `{role}` stands for. */
  readonly role?: string
  /** Whether a name may fill a placeholder although it reads as an id. */
  readonly idNames: boolean
}

/** A rendered text, and whether a name that somebody chose in Keystone is part of it. */
type Rendered =
  | { readonly kind: 'text'; readonly text: string; readonly fromName: boolean }
  /** The token has nothing to fill a placeholder with. */
  | { readonly kind: 'unfilled' }
  /** What was filled in could pass as something else here: as an id, as another domain's, or as the text behind it. */
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
  let last: Filling | undefined
  for (const { placeholder, following } of template.holes) {
    const value = fill(placeholder, facts)
    if (value === undefined || value === '') return { kind: 'unfilled' }
    if (value === AMBIGUOUS) return { kind: 'ambiguous' }
    if (isName(placeholder)) {
      fromName = true
      if ((!facts.idNames && looksLikeId(placeholder, value)) || reachesInto(value, following))
        return { kind: 'ambiguous' }
    }
    text += value + following
    last = { placeholder, value, following }
  }
  if (fromName && last !== undefined && passesAsQualified(text, last, facts)) return { kind: 'ambiguous' }
  return { kind: 'text', text, fromName }
}

/** The id `default` is compared exactly: Keystone's first domain has that id and the name `Default`. */
function looksLikeId(placeholder: Placeholder, value: string): boolean {
  return isKeystoneId(fold(value)) || (placeholder.endsWith('domain.name') && isKeystoneDomainId(value))
}

/**
 * Whether a value of these placeholders ends in text that the template could have made otherwise: it holds the literal
 * text behind it, or makes it stand earlier (`a-x` before `-x-` gives `a-x-x-`, which begins like `a` before `-x-`).
 */
function reachesInto(value: string, following: string): boolean {
  return following !== '' && (value + following).indexOf(following) < value.length
}

interface Filling extends Hole {
  readonly value: string
}

/** Whether the text ends like a name that is qualified with a domain, and was not qualified: `dev@` before `default`. */
function passesAsQualified(text: string, { placeholder, value, following }: Filling, facts: TemplateFacts): boolean {
  const domain = domainIn(text)
  if (domain === undefined) return false
  // Written by the administrators, for their own domain; or the id itself; or qualified right here.
  if (following !== '') return domainIn(following) !== facts.naming.homeDomain
  return isName(placeholder) && domainIn(value) === undefined
}

/** The domain that a text seems to be qualified with. */
function domainIn(text: string): string | undefined {
  const tail = text.slice(text.lastIndexOf('@') + 1)
  return tail !== text && isKeystoneDomainId(tail) ? tail : undefined
}

/**
 * Whether the template could have made the text. Says yes too often rather than too seldom: of an id in the middle it
 * does not look whether it is one.
 */
export function couldRender({ before, holes }: Template, text: string): boolean {
  if (!text.startsWith(before)) return false
  let rest = text.slice(before.length)
  for (const { placeholder, following } of holes.slice(0, -1)) {
    const end = rest.indexOf(following, isName(placeholder) ? 1 : SHORTEST_ID)
    if (end < 0) return false
    rest = rest.slice(end + following.length)
  }
  const last = holes.at(-1)
  if (last === undefined) return rest === ''
  if (last.following === '') return isName(last.placeholder) ? rest !== '' : couldEndInId(last.placeholder, rest, holes)
  return rest.length > last.following.length && rest.endsWith(last.following)
}

function couldEndInId(placeholder: Placeholder, text: string, { length }: readonly Hole[]): boolean {
  if (length > 1) return /(?:[0-9a-f]{32}|default)$/.test(text)
  return placeholder.endsWith('domain.id') ? isKeystoneDomainId(text) : isKeystoneId(text)
}

const SHORTEST_ID = 'default'.length

/** Of two templates that could have made a text, the one that says more about it has it. */
export function specificityOf({ before, holes }: Template): number {
  const ids = holes.filter(({ placeholder }) => !isName(placeholder)).length
  return holes.reduce((sum, { following }) => sum + following.length, before.length) + 32 * ids
}

/** Stands for a value that Keystone gave and that cannot be used; no name is a symbol. */
const AMBIGUOUS = Symbol('ambiguous')
type Value = string | typeof AMBIGUOUS | undefined

function fill(placeholder: Placeholder, facts: TemplateFacts): Value {
  const { identity, naming, role } = facts
  const { user, scope } = identity
  const project = scope.kind === 'project' ? scope : undefined
  switch (placeholder) {
    case 'user.name':
      return qualifyUser(identity, naming)
    case 'user.id':
      return asId(user.id, isKeystoneId)
    case 'user.domain.name':
      return user.domain.name
    case 'user.domain.id':
      return asId(user.domain.id, isKeystoneDomainId)
    case 'project.name':
      return project && qualify(project, naming.homeDomain)
    case 'project.id':
      return project && asId(project.id, isKeystoneId)
    case 'project.domain.name':
      return project?.domain.name
    case 'project.domain.id':
      return project && asId(project.domain.id, isKeystoneDomainId)
    case 'role':
      return role
  }
}

/** The name of a federated user says where it comes from, because Keystone does not keep such names unique. */
function qualifyUser({ user, identityProvider }: Identity, { homeDomain, federatedAsLocal }: Naming): Value {
  if (identityProvider !== undefined && !federatedAsLocal) {
    return user.name === '' ? undefined : (qualifyFederatedName(user.name, identityProvider) ?? AMBIGUOUS)
  }
  return looksFederated(user.name) ? AMBIGUOUS : qualify(user, homeDomain)
}

function qualify({ name, domain }: { name: string; domain: { id: string } }, homeDomain: string): Value {
  return name === '' ? undefined : (qualifyName(name, domain.id, homeDomain) ?? AMBIGUOUS)
}

// Some drivers take ids from a directory (an LDAP attribute, say): what does not read as an id is somebody's choice.
function asId(id: string, reads: (text: string) => boolean): Value {
  return reads(id) ? id : AMBIGUOUS
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
