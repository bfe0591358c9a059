import { parseCallers } from '../../../documents/callers.ts'
import { findCallersWarnings } from '../../../documents/callers-warnings.ts'
import type { Fault, Warning } from '../../../lib/fault.ts'
import { parseAuthenticators } from '../../../mapping/authenticators.ts'
import { findAuthenticatorsWarnings } from '../../../mapping/authenticators-warnings.ts'
import { findMappingWarnings } from '../../../mapping/mapping-warnings.ts'
import { parseMapping } from '../../../mapping/parse-mapping.ts'
import { parsePolicy } from '../../../policy/parse-policy.ts'
import { findPolicyWarnings } from '../../../policy/policy-warnings.ts'
import type { LocatedFault, Source } from '../source/source.ts'
import type { DocumentKind } from './document-kind.ts'

/** What a check finds in one file. */
export interface FileReport {
  readonly file: string
  readonly faults: readonly LocatedFault[]
  readonly warnings: readonly LocatedFault[]
}

export interface InspectOptions {
  readonly kind: DocumentKind
  readonly homeDomain: string
  readonly nowMs: number
}

interface Findings {
  readonly faults: readonly Fault[]
  readonly warnings: readonly Warning[]
}

/** Checks a document with the parsers of the Worker. Only a document without faults has warnings. */
export function inspectSource(source: Source, options: InspectOptions): FileReport {
  const { file, document, locate } = source
  if (!document.ok) return { file, faults: document.error.map(nameImport), warnings: [] }
  const { faults, warnings } = inspect(document.value, options)
  return { file, faults: locate(faults), warnings: locate(warnings) }
}

/** The Worker names kubectl for a ConfigMap; here is a command for it. */
function nameImport(fault: LocatedFault): LocatedFault {
  if (!fault.message.startsWith('is a ConfigMap')) return fault
  return { ...fault, message: 'is a ConfigMap: keystone-edge-auth import FILE --out DIR makes documents of it' }
}

function inspect(document: unknown, { kind, homeDomain, nowMs }: InspectOptions): Findings {
  switch (kind) {
    case 'mapping': {
      const parsed = parseMapping(document, { digest: '', homeDomain })
      return parsed.ok ? warn(findMappingWarnings(document)) : refuse(parsed.error)
    }
    case 'policy': {
      const parsed = parsePolicy(document, homeDomain)
      if (!parsed.ok) return refuse(parsed.error)
      return warn([...parsed.value.warnings, ...findPolicyWarnings(document, parsed.value.policy)])
    }
    case 'authenticators': {
      const parsed = parseAuthenticators(document, '')
      if (!parsed.ok) return refuse(parsed.error)
      return warn([...parsed.value.warnings(nowMs), ...findAuthenticatorsWarnings(document)])
    }
    case 'callers': {
      const parsed = parseCallers(document)
      return parsed.ok ? warn(findCallersWarnings(document)) : refuse(parsed.error)
    }
  }
}

function warn(warnings: readonly Warning[]): Findings {
  return { faults: [], warnings }
}

function refuse(faults: readonly Fault[]): Findings {
  return { faults, warnings: [] }
}
