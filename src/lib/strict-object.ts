import * as v from 'valibot'

/**
 * An object with these keys and no others; every other one is named. valibot names only the first, and takes a list for
 * an object without keys: in a document of administrators `"allow": []` would quietly mean "allow anybody".
 */
export function strictObject<const Entries extends v.ObjectEntries>(
  entries: Entries,
  message: string,
): v.StrictObjectSchema<Entries, string> {
  const schema = v.strictObject(entries, message)
  const nothing = v.strictObject({}, message)
  return {
    ...schema,
    '~run'(dataset, config) {
      const input = dataset.value
      if (Array.isArray(input)) return schema['~run']({ value: null }, config)
      const result = schema['~run'](dataset, config)
      if (typeof input !== 'object' || input === null || result.issues === undefined) return result
      const [, ...others] = Object.entries(input).filter(([key]) => !Object.hasOwn(entries, key))
      for (const [key, value] of others) {
        result.issues.push(...(nothing['~run']({ value: { [key]: value } }, config).issues ?? []))
      }
      return result
    },
  }
}
