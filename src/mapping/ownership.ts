import { couldRender, specificityOf, type Template } from './template.ts'

/**
 * Whether a rendered text belongs to its template. A text that several templates of a document can render belongs to the
 * most specific one: in a document with `admins:{project.name}` a project named `admins:demo` gets no group by
 * `{project.name}`.
 */
export type Owns = (template: Template, text: string) => boolean

/** Among equally specific templates a text belongs to the first only (`exclusive`), or to each of them. */
export function createOwnership(templates: readonly Template[], { exclusive }: { exclusive: boolean }): Owns {
  const ranked = rank(templates.filter(({ holes }) => holes.length > 0))
  return (template, text) => {
    const owner = ranked.find((candidate) => couldRender(candidate, text))
    if (owner === undefined) return false
    return exclusive ? shapeOf(owner) === shapeOf(template) : specificityOf(owner) <= specificityOf(template)
  }
}

/** Each shape once, the most specific first; among equals in the order of the document. */
function rank(templates: readonly Template[]): Template[] {
  const shapes = new Map(templates.toReversed().map((template) => [shapeOf(template), template]))
  return [...shapes.values()].reverse().sort((one, other) => specificityOf(other) - specificityOf(one))
}

function shapeOf(template: Template): string {
  return JSON.stringify(template)
}
