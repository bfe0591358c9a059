import type { Context } from 'hono'

/** What a list can be narrowed by. */
interface Filterable {
  name: string
  domainId?: string
}

/** The entities that the query's `name` and `domain_id`, if any, allow. Names compare exactly. */
export function filtered<T extends Filterable>(c: Context, entities: Iterable<T>): T[] {
  const { name, domain_id: domainId } = c.req.query()
  return [...entities].filter(
    (entity) =>
      (name === undefined || entity.name === name) && (domainId === undefined || entity.domainId === domainId),
  )
}

/** A list as the API shows it: always whole, with a link to itself. */
export function collection(c: Context, key: string, items: unknown[], url: string): Record<string, unknown> {
  const { pathname, search } = new URL(c.req.url)
  const root = new URL(url)
  return { [key]: items, links: { next: null, self: `${root.origin}${pathname}${search}`, previous: null } }
}
