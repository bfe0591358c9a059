// Control and format characters (bidirectional marks and zero-width ones are among them), line and paragraph
// separators, lone surrogates, and whatever else is drawn as nothing at all.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
const ALL_HIDDEN = new RegExp(HIDDEN, 'gu')

/** Whether the text holds a character that a reader cannot see or that reorders what is seen. */
export function hasHiddenCharacter(text: string): boolean {
  return HIDDEN.test(text)
}

/** The same JSON, with such characters as escapes (RFC 8259, 7). */
export function escapeHiddenCharacters(json: string): string {
  return json.replace(ALL_HIDDEN, (character) =>
    Array.from({ length: character.length }, (_, at) => toEscape(character.charCodeAt(at))).join(''),
  )
}

function toEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
