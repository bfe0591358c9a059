import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { CallersDocumentSchema } from '../documents/callers.ts'
import { AuthenticatorsDocumentSchema } from '../mapping/authenticators-document.ts'
import { MappingDocumentSchema } from '../mapping/mapping-document.ts'
import { PolicyListSchema, PolicyObjectSchema } from '../policy/policy-document.ts'

const DOCUMENTS: Readonly<Record<string, v.GenericSchema>> = {
  authenticators: AuthenticatorsDocumentSchema,
  callers: CallersDocumentSchema,
  mapping: MappingDocumentSchema,
  policy: v.union([PolicyListSchema, PolicyObjectSchema]),
}

/**
 * JSON Schemas of the administrators' documents, by file name, for editors that complete and check. What a schema
 * cannot say (placeholders, rules that never match, examples) only loading the document checks.
 */
export function renderSchemas(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(DOCUMENTS).map(([name, schema]) => {
      const body = toJsonSchema(schema, { errorMode: 'ignore', typeMode: 'input' })
      const titled = { ...body, title: `keystone-edge-auth: the document ${name}` }
      return [`${name}.schema.json`, `${JSON.stringify(titled, undefined, 2)}\n`]
    }),
  )
}

/** Writes them to `schemas/` (`npm run schemas`). */
function writeSchemas(): void {
  const directory = resolve(import.meta.dirname, '../../schemas')
  for (const [file, text] of Object.entries(renderSchemas())) writeFileSync(join(directory, file), text)
}

if (import.meta.main) writeSchemas()
