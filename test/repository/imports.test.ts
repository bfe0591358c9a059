import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

// The import directions of the house, left to right and never back. A room may use every room to its right.
const ROOMS = [
  ['worker.ts'],
  ['start.ts'],
  ['review.ts'],
  ['app.ts', 'settings.ts'],
  ['http'],
  ['authn', 'authz'],
  ['documents'],
  ['cache'],
  ['keystone'],
  ['policy'],
  ['identity', 'telemetry'],
  ['k8s'],
  [
    'timer.ts',
    'fault.ts',
    'secret.ts',
    'bounded-map.ts',
    'bounded-text.ts',
    'hidden-characters.ts',
    'result.ts',
    'base64.ts',
    'version.ts',
  ],
]
/** Node programs: nothing else imports them, and they use the pure rooms and `keystone` only. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  dev: ['dev', 'documents', 'keystone', 'policy', 'identity', 'k8s'],
}

const SRC = resolve(import.meta.dirname, '../../src')
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.d.ts'),
)
const roomOf = (file: string): string => file.split('/')[0] ?? file
const rankOf = (file: string): number => ROOMS.findIndex((rooms) => rooms.includes(roomOf(file)))

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier ?? '')
}

function localImportsOf(file: string): string[] {
  const local = importsOf(file).filter((specifier) => specifier.startsWith('.'))
  return local.map((specifier) => relative(SRC, resolve(SRC, dirname(file), specifier)))
}

const workerFiles = files.filter((file) => !(roomOf(file) in PROGRAMS))

describe('imports', () => {
  it('every file has its room', () => {
    expect(workerFiles.filter((file) => rankOf(file) === -1)).toEqual([])
  })

  it('go from left to right', () => {
    const backwards = workerFiles.flatMap((file) =>
      localImportsOf(file)
        .filter(
          (target) => roomOf(target) in PROGRAMS || (roomOf(target) !== roomOf(file) && rankOf(target) <= rankOf(file)),
        )
        .filter((target) => !sameLeaf(file, target))
        .map((target) => `${file} → ${target}`),
    )
    expect(backwards).toEqual([])
  })

  it('of programs reach the rooms that run anywhere', () => {
    const astray = files.flatMap((file) =>
      (PROGRAMS[roomOf(file)] === undefined ? [] : localImportsOf(file))
        .filter((target) => !PROGRAMS[roomOf(file)]?.includes(roomOf(target)) && rankOf(target) !== ROOMS.length - 1)
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

  it('of the Worker are no Node modules', () => {
    const node = workerFiles.flatMap((file) => importsOf(file).filter((specifier) => specifier.startsWith('node:')))
    expect(node).toEqual([])
  })
})

/** The leaves on the right lean on each other; the test for cycles keeps that sane. */
function sameLeaf(file: string, target: string): boolean {
  return rankOf(file) === ROOMS.length - 1 && rankOf(target) === ROOMS.length - 1
}
