import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
/** Folders that npm and the builds write. Folders whose names begin with a dot are left out as well. */
const GENERATED = new Set(['node_modules', 'dist'])

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || GENERATED.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return pagesIn(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

/** The text without code blocks, in which brackets and # mean something else. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const slugs = [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = '' }) => slugOf(heading))
  return slugs.map((slug, index) => {
    const earlier = slugs.slice(0, index).filter((other) => other === slug).length
    return earlier === 0 ? slug : `${slug}-${earlier}`
  })
}

/** Lower case, without punctuation, with a hyphen for each space; of a link only the text counts. */
function slugOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** The targets of a page's links to this repository, without those to other sites. */
function targetsIn(page: string): string[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(({ 1: target = '' }) => target)
  return links.filter((target) => !/^[a-z]+:/.test(target))
}

function isThere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : resolve(dirname(page), path)
  return existsSync(file) && (anchor === undefined || anchorsOf(file).includes(anchor))
}

const pages = pagesIn(ROOT)

describe('links between the pages of the repository', () => {
  it('are found', () => {
    expect(pages.flatMap(targetsIn).length).toBeGreaterThan(50)
  })

  it.each(pages.map((page) => relative(ROOT, page)))('%s links only to files and headings that exist', (name) => {
    const page = join(ROOT, name)
    expect(targetsIn(page).filter((target) => !isThere(page, target))).toEqual([])
  })
})
