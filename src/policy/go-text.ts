/**
 * Lower case, character by character as Go has it: JavaScript looks at neighbours as well (a final sigma) and makes two
 * characters of one (İ), so that a negated half could fail to exclude what k8s-keystone-auth excludes.
 */
export function toLower(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text.toLowerCase()
  return Array.from(text, (character) => (character === 'İ' ? 'i' : character.toLowerCase())).join('')
}

/** Without outer white space as Go has it, of which U+FEFF is none and U+0085 is. */
export function trimSpace(text: string): string {
  let end = text.length
  // By hand, as a regular expression for the end takes time that grows with the square of the inner white space.
  while (end > 0 && isSpace(text.charAt(end - 1))) end -= 1
  let start = 0
  while (start < end && isSpace(text.charAt(start))) start += 1
  return text.slice(start, end)
}

/** All white space of Unicode is of one UTF-16 unit. */
function isSpace(character: string): boolean {
  return /\p{White_Space}/u.test(character)
}
