import * as v from 'valibot'

/**
 * An object with these keys and no others. valibot takes a list for an object without keys; in a document of
 * administrators `"allow": []` would then quietly mean "allow anybody".
 */
export function strictObject<const Entries extends v.ObjectEntries>(
  entries: Entries,
  message: string,
): v.StrictObjectSchema<Entries, string> {
  const schema = v.strictObject(entries, message)
  return {
    ...schema,
    '~run': (dataset, config) => schema['~run'](Array.isArray(dataset.value) ? { value: null } : dataset, config),
  }
}
