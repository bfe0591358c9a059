import type { Answer } from '../harness/http-answer.ts'
import type { HostileAnswer } from './hostile-answers.ts'
import { findBadShape } from './shape.ts'

/** Groups that the mapping writes out, in a rule that fits no user of the run. */
export const LITERALS = ['platform-admins', 'system:masters']

/** What a reader cannot see, or what reorders what is seen. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** What is wrong with the answer to a token of which Keystone said the given; `undefined` when nothing is. */
export function findFaultyUser(answer: Answer, given: HostileAnswer): string | undefined {
  const wrong = findBadShape({ method: 'POST', path: '/webhook' }, answer)
  if (wrong !== undefined) return wrong
  if (answer.status !== 200) return `status ${answer.status}`
  const { status } = JSON.parse(answer.text)
  if (status.authenticated !== true) return undefined
  const { username, uid, groups } = status.user
  if (given.status !== 200 || given.headers['X-Subject-Token'] !== undefined) return 'a yes that Keystone did not give'
  if (typeof given.userId !== 'string' || uid !== given.userId) return "another user than Keystone's"
  if (isReserved(username) || HIDDEN.test(username)) return `the user name ${JSON.stringify(username)}`
  const bad = groups.find((group: string) => isReserved(group) || HIDDEN.test(group) || LITERALS.includes(group))
  return bad === undefined ? undefined : `the group ${JSON.stringify(bad)}`
}

/** Also in other widths and cases: some reader might fold them. */
function isReserved(name: string): boolean {
  return name === '' || name.normalize('NFKC').trim().toLowerCase().startsWith('system:')
}
