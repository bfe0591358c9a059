import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Application, type CommandContext, generateHelpTextForAllCommands } from '@stricli/core'
import { describe, expect, it } from 'vitest'
import { application } from '../../../../src/cli/keystone-edge-auth/application.ts'

const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/commands.md'), 'utf8')
const commands = generateHelpTextForAllCommands(application as unknown as Application<CommandContext>)
const routes = commands.map(([route]) => route)

describe('docs/commands.md', () => {
  it.each(routes)('has an example of %s', (route) => {
    expect(page).toContain(`${route} `.trimEnd())
  })

  it('names no command that there is not', () => {
    const named = [...page.matchAll(/keystone-edge-auth ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)/g)].map(([text]) => text)
    const known = named.filter((text) => routes.some((route) => `${text} `.startsWith(`${route} `) || route === text))
    expect(named.filter((text) => !known.includes(text))).toEqual([])
  })
})

describe('--help', () => {
  it.each(commands)('of %s has examples', (route, help) => {
    expect(help).toMatch(/Examples?:\n/)
    expect(help).toContain(`  ${route} `.trimEnd())
  })
})
