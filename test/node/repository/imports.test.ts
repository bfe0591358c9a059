import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The folders of `src`, in the order of imports: a folder may use every folder to its right, never one to its left. */
const LAYERS = [
  ['worker.ts'],
  ['app.ts'],
  ['services.ts'],
  ['settings.ts'],
  ['http'],
  ['authn', 'authz'],
  ['documents'],
  ['cache'],
  ['mapping', 'policy'],
  ['keystone', 'telemetry'],
  ['k8s'],
  ['lib'],
]
/** Node programs: nothing else imports them, and they use only the folders that run anywhere. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  cli: ['cli', 'documents', 'mapping', 'policy', 'keystone', 'k8s', 'lib'],
  dev: ['dev', 'documents', 'mapping', 'policy', 'keystone', 'k8s', 'lib'],
}

const SRC = resolve(import.meta.dirname, '../../../src')
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.d.ts'),
)
const folderOf = (file: string): string => file.split('/')[0] ?? file
const rankOf = (file: string): number => LAYERS.findIndex((layer) => layer.includes(folderOf(file)))

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier ?? '')
}

function localImportsOf(file: string): string[] {
  const local = importsOf(file).filter((specifier) => specifier.startsWith('.'))
  return local.map((specifier) => relative(SRC, resolve(SRC, dirname(file), specifier)))
}

const workerFiles = files.filter((file) => !(folderOf(file) in PROGRAMS))

describe('imports', () => {
  it('give every file of the Worker a layer', () => {
    expect(workerFiles.filter((file) => rankOf(file) === -1)).toEqual([])
  })

  it('go from left to right, never back', () => {
    const backwards = workerFiles.flatMap((file) =>
      localImportsOf(file)
        .filter(
          (target) =>
            folderOf(target) in PROGRAMS || (folderOf(target) !== folderOf(file) && rankOf(target) <= rankOf(file)),
        )
        .map((target) => `${file} → ${target}`),
    )
    expect(backwards).toEqual([])
  })

  it('of Node programs reach only the folders that run anywhere', () => {
    const astray = files.flatMap((file) =>
      (PROGRAMS[folderOf(file)] === undefined ? [] : localImportsOf(file))
        .filter((target) => !PROGRAMS[folderOf(file)]?.includes(folderOf(target)))
        .map((target) => `${file} → ${target}`),
    )
    expect(astray).toEqual([])
  })

  it('make no cycle', () => {
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (path.includes(file) || done.has(file)) return
      for (const target of localImportsOf(file)) visit(target, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('of the Worker name no Node module', () => {
    const node = workerFiles.flatMap((file) => importsOf(file).filter((specifier) => specifier.startsWith('node:')))
    expect(node).toEqual([])
  })
})
