import { describe, expect, it } from 'vitest'
import text from '../../../docs/reliability.md?raw'
import { createStage, timed } from '../../support/documents-stage.ts'
import { putDocument } from '../../support/webhook.ts'

// What a review of `user1:pass1` gives while the HTTP Basic service fails. docs/reliability.md has the same table.

const BASIC_AUTH_URL = 'https://basic.test/check'
const STATES = ['new token', 'memory', 'past IDENTITY_TTL_SECONDS'] as const
type Respond = () => Promise<Response>

const answers = (status: number): Respond => {
  return async () => new Response(null, { status, headers: status === 302 ? { Location: 'https://x.test/' } : {} })
}
const FAULTS: Readonly<Record<string, Respond>> = {
  'accepts the password': answers(200),
  'answers 401': answers(401),
  'answers 403': answers(403),
  'answers 404': answers(404),
  'answers 500': answers(500),
  'answers 503': answers(503),
  'answers a redirect': answers(302),
  'resets the connection': () => Promise.reject(new Error('Network connection lost.')),
  hangs: () => new Promise(() => undefined),
}
/** As docs/reliability.md has them. */
const EXPECTED: Readonly<Record<string, readonly [string, string, string]>> = {
  'accepts the password': ['yes', 'yes', 'yes'],
  'answers 401': ['no', 'yes', 'no'],
  'answers 403': ['no', 'yes', 'no'],
  'answers 404': ['cannot tell (status)', 'yes', 'cannot tell (status)'],
  'answers 500': ['cannot tell (status)', 'yes', 'cannot tell (status)'],
  'answers 503': ['cannot tell (status)', 'yes', 'cannot tell (status)'],
  'answers a redirect': ['cannot tell (redirect)', 'yes', 'cannot tell (redirect)'],
  'resets the connection': ['cannot tell (network)', 'yes', 'cannot tell (network)'],
  hangs: ['cannot tell (timeout), 5 s', 'yes', 'cannot tell (timeout), 5 s'],
}

/** One cell of the table, as it is run. */
async function run(fault: Respond, state: (typeof STATES)[number]): Promise<string> {
  const stage = await createStage()
  await putDocument('mapping', {})
  let respond = state === 'new token' ? fault : answers(200)
  const keystone = (request: Request): Promise<Response> =>
    request.headers.has('Authorization') ? respond() : answers(401)()
  const isolate = await stage.isolate({ keystone, vars: { BASIC_AUTH_URL } })
  if (state !== 'new token') await isolate.review('user1:pass1')
  respond = fault
  if (state === 'past IDENTITY_TTL_SECONDS') stage.clock.advance(120_000)
  const { value, tookMs } = await timed(stage.clock, isolate.review('user1:pass1'))
  expect([value.status, value.headers.get('Retry-After')]).toEqual([200, null])
  expect(isolate.reviews().at(-1)?.source).toBe('basic')
  const { authenticated, error } = value.json.status
  const reason = String(isolate.reviews().at(-1)?.reason).replace('basic_', '')
  const said = authenticated ? 'yes' : error === undefined ? 'no' : `cannot tell (${reason})`
  return tookMs === 0 ? said : `${said}, ${tookMs / 1000} s`
}

describe.each(Object.keys(FAULTS))('the HTTP Basic service %s', (name) => {
  it.each(STATES)('%s', async (state) => {
    expect(await run(FAULTS[name] as Respond, state)).toBe(EXPECTED[name]?.[STATES.indexOf(state)])
  })
})

it('docs/reliability.md has the table that is run', () => {
  const section = text.split(/^#+ /m).find((part) => part.startsWith('The HTTP Basic service fails\n')) ?? ''
  const rows = [...section.matchAll(/^\|(.*)\|$/gm)].map(({ 1: row = '' }) => row.split('|').map((cell) => cell.trim()))
  expect(rows.filter((_, index) => index !== 1)).toEqual([
    ['HTTP Basic service', ...STATES],
    ...Object.entries(EXPECTED).map(([fault, cells]) => [fault, ...cells]),
  ])
})
