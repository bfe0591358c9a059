import { hasHiddenCharacter } from '../../lib/hidden-characters.ts'

const MAX_CHARACTERS = 300

/** A text of a server for a terminal: one line, bounded, without hidden characters and without the secrets. */
export function tidy(text: string, secrets: readonly string[] = []): string {
  let clean = text
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '…')
  const shown = Array.from(clean, (character) => (hasHiddenCharacter(character) ? ' ' : character))
  const line = shown.join('').replace(/\s+/g, ' ').trim()
  return line.length > MAX_CHARACTERS ? `${line.slice(0, MAX_CHARACTERS)}…` : line
}
