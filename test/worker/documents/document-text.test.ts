import fc from 'fast-check'
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

  it.each([
    ['', 1, 1, 'a value'],
    ['{', 1, 2, 'a key in double quotes or }'],
    ['{"a": secret}', 1, 7, 'a value'],
    ['{"a": 1,}', 1, 9, 'a key in double quotes'],
    ['[\n {"a": "secret"},\n]', 3, 1, 'a value'],
    ["{'a': 1}", 1, 2, 'a key in double quotes or }'],
    ['{"a" 1}', 1, 6, 'a colon'],
    ['{"a": 1 "b": 2}', 1, 9, 'a comma or }'],
    ['[1 2]', 1, 4, 'a comma or ]'],
    ['{} {}', 1, 4, 'the end'],
    ['undefined', 1, 1, 'a value'],
    ['// x\n{}', 1, 1, 'a value'],
    ['\u0000{}', 1, 1, 'a value'],
    ['["secret\n"]', 1, 2, 'a value or ]'],
    ['[01]', 1, 2, 'a value or ]'],
    ['[1.]', 1, 2, 'a value or ]'],
    ['\uFEFF{"a": tru}', 1, 7, 'a value'],
    ['{\r\n  "a": NaN\r\n}', 2, 8, 'a value'],
  ])('says where %j stops being JSON, and quotes nothing', (text, line, column, expected) => {
    expect(faults(text)).toEqual([`: is not JSON: line ${line}, column ${column}: expected ${expected}`])
  })

  it('is refused where JSON.parse refuses it, and there only', () => {
    const cut = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', '{', ':', '1', ' ', '\n', 'x'))
      .map(
        ([json, at, insert]) =>
          json.slice(0, at % (json.length + 1)) + insert + json.slice((at % (json.length + 1)) + 1),
      )
    fc.assert(
      fc.property(cut, (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        const refused = /^: (?:is not JSON: line \d+, column \d+: expected |looks like YAML)/
        if (isJson) expect(faults(text).join('\n')).not.toMatch(refused)
        else expect(faults(text)[0]).toMatch(refused)
      }),
      { numRuns: 2_000 },
    )
  })

  it('may begin with a byte order mark', () => {
    expect(parseDocumentText('\uFEFF[]')).toEqual({ ok: true, value: [] })
  })

  it.each([
    ['YAML', 'role-mappings:\n  - keystone-role: member\n    groups: ["project-1"]\n', /^: looks like YAML/],
    ['a list in YAML', '# policy\n- users: {}\n', /^: looks like YAML/],
    ['a YAML document', '---\n{}\n', /^: looks like YAML/],
    [
      'a ConfigMap in YAML',
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  policies: |\n    []\n',
      /jsonpath='\{\.data\.policies\}'$/,
    ],
    [
      'a ConfigMap in JSON',
      '{"apiVersion":"v1","kind":"ConfigMap","data":{"policies":"[]"}}',
      /jsonpath='\{\.data\.policies\}'$/,
    ],
  ])('names %s', (_what, text, message) => {
    expect(faults(text)).toEqual([expect.stringMatching(message)])
  })

  it('of 4 MiB is searched for its fault without delay', () => {
    for (const text of [
      `[${'1,'.repeat(2 * MIB - 10)}]`,
      `["${'x'.repeat(4 * MIB - 10)}`,
      ' '.repeat(4 * MIB),
      'a\n'.repeat(2 * MIB),
    ]) {
      const startedAtMs = performance.now()
      expect(faults(text)).toHaveLength(1)
      expect(performance.now() - startedAtMs).toBeLessThan(5_000)
    }
  })
})
