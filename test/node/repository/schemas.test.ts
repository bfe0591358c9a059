import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderSchemas } from '../../../src/dev/schemas.ts'

const DIRECTORY = resolve(import.meta.dirname, '../../../schemas')

describe('the published JSON Schemas', () => {
  it('are the language that is checked; otherwise: npm run schemas', () => {
    const published = readdirSync(DIRECTORY).map((file) => [file, readFileSync(join(DIRECTORY, file), 'utf8')])
    expect(Object.fromEntries(published)).toEqual(renderSchemas())
  })

  it('know no other keys than the documents do', () => {
    const mapping = JSON.parse(renderSchemas()['mapping.schema.json'] ?? '')
    expect(mapping.additionalProperties).toBe(false)
    expect(Object.keys(mapping.properties).sort()).toEqual([
      '$schema',
      'allow',
      'deny',
      'examples',
      'extra',
      'federated',
      'groups',
      'role-mappings',
      'rules',
      'system-groups',
      'username',
    ])
  })
})
