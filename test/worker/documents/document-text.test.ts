import { describe, expect, it } from 'vitest'
import { parseDocumentText } from '../../../src/documents/document-text.ts'

const faults = (text: string) => {
  const parsed = parseDocumentText(text)
  return parsed.ok ? [] : parsed.error.map(({ path, message }) => `${path}: ${message}`)
}
const MIB = 1024 * 1024

describe('the text of a document', () => {
  it('is JSON, whatever its keys, strings and white space look like', () => {
    for (const text of [
      '{}',
      ' [ ] ',
      '{"a": {"a": {"a": [{"a": 1}, {"a": 2}]}}}',
      String.raw`{"a\"": "\"a\":", "b": "{[,:]}", "c\\": ["}", "]", ","]}`,
      '{"a" \n\t:\r 1, "b":"a" , "c" : ["a" , "a"]}',
      '["a", "a", {"a": "a"}]',
    ]) {
      expect(parseDocumentText(text)).toEqual({ ok: true, value: JSON.parse(text) })
    }
  })

  it('names every key that is there twice, however it is written, by its path', () => {
    expect(faults('{"a": 1, "a": 1}')).toEqual(['a: is there twice'])
    expect(faults(String.raw`{"a": 1, "\u0061": 2}`)).toEqual(['a: is there twice'])
    expect(faults('{"a": [0, {"b": {"c": 1, "d": 2, "c": 3}, "b": 1}]}')).toEqual([
      'a[1].b.c: is there twice',
      'a[1].b: is there twice',
    ])
    expect(faults('{"a": 1, "a": 1, "a": 1}')).toHaveLength(2)
  })

  it('has no key __proto__ at any depth, escaped or not', () => {
    expect(faults('{"a": [{"__proto__": {}}]}')).toEqual(['a[0].__proto__: is not a key here'])
    expect(faults(String.raw`{"__pr\u006fto__": 1}`)).toEqual(['__proto__: is not a key here'])
    expect(faults('{"a": "__proto__"}')).toEqual([])
  })

  it('is nested 32 levels deep at most', () => {
    expect(faults(`${'['.repeat(32)}${']'.repeat(32)}`)).toEqual([])
    for (const levels of [33, 1_000_000]) {
      expect(faults(`${'['.repeat(levels)}${']'.repeat(levels)}`)).toEqual([': is nested deeper than 32 levels'])
    }
    expect(faults('{"a":'.repeat(40) + '1'.padEnd(41, '}'))).toEqual([': is nested deeper than 32 levels'])
  })

  it('is 4 MiB long at most, and as long as that in whatever way', () => {
    for (const text of [
      `{"a": "${'x'.repeat(4 * MIB - 20)}"}`,
      `{"a": "${String.raw`\n`.repeat(2 * MIB - 20)}"}`,
      `{"a" ${' '.repeat(4 * MIB - 20)}: 1}`,
      `["a" ${' '.repeat(4 * MIB - 20)}, 1]`,
    ]) {
      expect(faults(text)).toEqual([])
    }
    expect(faults(`"${'x'.repeat(4 * MIB)}"`)).toEqual([': is larger than 4 MiB'])
    expect(faults('x'.repeat(25 * MIB))).toEqual([': is larger than 4 MiB'])
  })

  it('that is not JSON is not quoted', () => {
    for (const text of [
      '',
      '{',
      '{"a": secret}',
      '{"a": 1,}',
      "{'a': 1}",
      '{} {}',
      'undefined',
      '// x\n{}',
      '\u0000{}',
    ]) {
      expect(faults(text)).toEqual([': is not JSON'])
    }
  })
})
