import type { CommandContext } from '../context.ts'

/** Which KV: that of the account, or the one on this machine that `npm start` uses. */
export type Place = 'local' | 'remote'

/** The namespace `CONFIG`, through wrangler, with wrangler's configuration and log-in of the working directory. */
export interface ConfigStore {
  /** The value of a key, or `undefined`. */
  get(key: string): Promise<string | undefined>
  /** Puts all values with one call. */
  put(values: Readonly<Record<string, string>>): Promise<void>
}

export function createConfigStore(context: CommandContext, place: Place): ConfigStore {
  const flags = ['--binding', 'CONFIG', `--${place}`]
  return {
    async get(key) {
      const text = await context.wrangler(['kv', 'key', 'get', key, '--text', ...flags])
      // wrangler says so on standard output, with exit code 0; no document is this text. And it adds a line break.
      return text.trim() === 'Value not found' ? undefined : text.replace(/\n$/, '')
    },
    async put(values) {
      const pairs = Object.entries(values).map(([key, value]) => ({ key, value }))
      await context.files.withSecretFile(JSON.stringify(pairs), async (file) => {
        await context.wrangler(['kv', 'bulk', 'put', file, ...flags], { uninterrupted: true })
      })
    },
  }
}
