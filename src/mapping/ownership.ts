import { couldRender, specificityOf, type Template } from './template.ts'

/**
 * Says whether a text belongs to the template that made it. A text that several templates of a document could make
 * belongs to the one that says most about it: where one is `admins:{project.name}`, a project that is named
 * `admins:demo` gets nothing by `{project.name}`.
 */
export type Owns = (template: Template, text: string) => boolean

/** Where several templates say equally much, a text is the first one's alone (`exclusive`), or each one's. */
export function createOwnership(templates: readonly Template[], { exclusive }: { exclusive: boolean }): Owns {
  const ranked = rank(templates.filter(({ holes }) => holes.length > 0))
  return (template, text) => {
    const owner = ranked.find((candidate) => couldRender(candidate, text))
    if (owner === undefined) return false
    return exclusive ? shapeOf(owner) === shapeOf(template) : specificityOf(owner) <= specificityOf(template)
  }
}

/** Each shape once, the one that says most first; of equal ones the first in the document. */
function rank(templates: readonly Template[]): Template[] {
  const shapes = new Map(templates.toReversed().map((template) => [shapeOf(template), template]))
  return [...shapes.values()].reverse().sort((one, other) => specificityOf(other) - specificityOf(one))
}

function shapeOf(template: Template): string {
  return JSON.stringify(template)
}
