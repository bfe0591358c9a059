/** What of Vite's `import.meta` the tests of policies use. */
interface ImportMeta {
  /** The default exports of the files of a pattern, by path. */
  glob(
    pattern: string,
    options: { readonly eager: true; readonly import: 'default' },
  ): Readonly<Record<string, unknown>>
}
