import type { FileReport } from './inspect.ts'

/** Annotations for GitHub Actions: workflow commands that show each finding at its line of a pull request. */
export function toAnnotations({ file, faults, warnings }: FileReport): string[] {
  const annotate = (
    level: 'error' | 'warning',
    { path, line, column, message }: FileReport['faults'][number],
  ): string => {
    const text = path === '' ? message : `${path}: ${message}`
    return `::${level} file=${escapeProperty(file)},line=${line},col=${column}::${escapeData(text)}`
  }
  return [...faults.map((fault) => annotate('error', fault)), ...warnings.map((one) => annotate('warning', one))]
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
