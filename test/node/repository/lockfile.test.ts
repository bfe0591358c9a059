import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly version?: string
  readonly resolved?: string
}

const lockfile: { packages: Readonly<Record<string, Locked>> } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../../package-lock.json'), 'utf8'),
)

describe('package-lock.json', () => {
  // npm 11 refuses to install otherwise, and drops what its registry did not serve whenever it writes the file.
  it('has the optional packages of every platform, in the version that is asked for', () => {
    const missing = Object.entries(lockfile.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.entries(optionalDependencies)
        .filter(([name, range]) => {
          const version = (
            lockfile.packages[`${path}/node_modules/${name}`] ?? lockfile.packages[`node_modules/${name}`]
          )?.version
          return version === undefined || (/^\d/.test(range) && version !== range)
        })
        .map(([name]) => `${path} → ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('names no registry', () => {
    expect(Object.values(lockfile.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([])
  })
})
