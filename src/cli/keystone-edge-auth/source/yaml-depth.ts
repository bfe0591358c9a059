const MAX_DEPTH = 1000

/**
 * Whether a text in YAML is nested so deep that reading it would take minutes. No document is; brackets in quotes count
 * as others do.
 */
export function isNestedTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    // [ and {, ] and }
    if (unit === 0x5b || unit === 0x7b) depth += 1
    else if ((unit === 0x5d || unit === 0x7d) && depth > 0) depth -= 1
    if (depth > MAX_DEPTH) return true
  }
  // Lists and keys that begin on one line.
  return /^(?:[ \t]*[-?:][ \t]){200}/m.test(text)
}
