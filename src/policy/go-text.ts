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
  return text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '')
}
