import type { Context } from 'hono'
import * as v from 'valibot'
import { badRequest, expecting } from './errors.ts'

const JsonObject = v.record(v.string(), v.unknown())

/** The JSON object in the body. @throws KeystoneError 400 */
export async function readObject(c: Context): Promise<Record<string, unknown>> {
  const body = await c.req.json().catch(() => undefined)
  const parsed = v.safeParse(JsonObject, body)
  if (!parsed.success || Array.isArray(body)) throw expecting('valid JSON', 'request body')
  return parsed.output
}

/** The entity under `key` of the body, checked. @throws KeystoneError 400, with the field */
export async function readEntity<const Schema extends v.GenericSchema>(
  c: Context,
  key: string,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const parsed = v.safeParse(schema, (await readObject(c))[key] ?? {})
  if (parsed.success) return parsed.output
  const issue = parsed.issues[0]
  throw badRequest(`Invalid input for field '${v.getDotPath(issue) ?? key}': ${issue.message}.`)
}

/** A name: anything with a visible character; blanks around it are cut off, as Keystone does. */
export function nameSchema(maxLength: number) {
  return v.pipe(v.string(), v.minLength(1), v.maxLength(maxLength), v.regex(/\S/), v.trim())
}
