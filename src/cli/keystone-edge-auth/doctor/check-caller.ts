import * as v from 'valibot'
import { tidy } from '../tidy.ts'
import { askWebhook, type Webhook } from './ask-webhook.ts'
import { explainConnection } from './connection-fault.ts'
import { type Finding, failed, ok } from './finding.ts'

const Status = v.object({ kind: v.literal('Status'), message: v.string() })

/**
 * Whether the credential is a caller's, and the path's cluster its own. Sends `{}`, which is no review: the Worker checks
 * the caller first, and answers 400 to a known one (docs/commands.md; contract, "HTTP").
 */
export async function checkCaller(webhook: Webhook, cluster: string | undefined): Promise<Finding> {
  const asked = await askWebhook(webhook, { method: 'POST', path: webhook.reviewPath, asCaller: true, body: '{}' })
  if (!asked.ok) return explainConnection('caller', asked.code)
  const { status, body } = asked.answer
  const parsed = v.safeParse(Status, body)
  if (!parsed.success)
    return failed(
      'caller',
      `the answer (${status}) is not that of the Worker`,
      'rules in front of the Worker may stop it: docs/deployment.md, "WAF and bot rules"',
    )
  const said = tidy(parsed.output.message, [webhook.callerToken])
  switch (status) {
    case 400:
      return ok('caller', `the credential is known${cluster === undefined ? '' : `, and that of ${cluster}`}`)
    case 403:
      return failed('caller', `wrong cluster: ${said}`, `the credential is not that of ${cluster}: check --cluster`)
    case 401:
      return failed('caller', `the credential is not known: ${said}`, UNKNOWN)
    default:
      return failed('caller', `status ${status}: ${said}`, 'look at the log of the Worker')
  }
}

const UNKNOWN =
  'check --caller-token-file; keystone-edge-auth caller list --remote shows the digests, caller add makes a credential'
