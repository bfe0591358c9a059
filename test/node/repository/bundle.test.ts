import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBundle } from '../../../src/dev/local-worker.ts'
import { VERSION } from '../../../src/lib/version.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const MAX_GZIPPED_BYTES = 64 * 1024

describe('the bundle that is deployed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-bundle-'))
  let bundle: Buffer
  let map: { sources: string[] }
  beforeAll(async () => {
    bundle = readFileSync(await buildBundle(ROOT, directory))
    map = JSON.parse(readFileSync(join(directory, 'worker.js.map'), 'utf8'))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  it('is one module of at most 64 KiB gzipped', () => {
    expect(readdirSync(directory).filter((file) => /\.(js|mjs|wasm)$/.test(file))).toEqual(['worker.js'])
    expect(gzipSync(bundle).length).toBeLessThanOrEqual(MAX_GZIPPED_BYTES)
  })

  it('holds nothing of Node, of `npm start` or of the command lines', () => {
    expect(bundle.toString()).not.toMatch(/["'`]node:/)
    expect(map.sources.filter((source) => /src\/(dev|cli)\//.test(source))).toEqual([])
    expect(map.sources.filter((source) => source.includes('src/worker.ts'))).toHaveLength(1)
  })

  it('uses the libraries that it may use', () => {
    const packages = map.sources.flatMap((source) => source.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? [])
    expect([...new Set(packages)].sort()).toEqual(['hono', 'jose', 'valibot'])
  })
})

describe('the version', () => {
  it("is package.json's", () => {
    expect(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version).toBe(VERSION)
  })

  it('of miniflare is the one that wrangler pins', () => {
    const wrangler = JSON.parse(readFileSync(join(ROOT, 'node_modules/wrangler/package.json'), 'utf8'))
    const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(own.devDependencies.miniflare).toBe(wrangler.dependencies.miniflare)
  })
})
