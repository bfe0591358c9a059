import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// Two runtimes: `worker` tests run inside workerd, `node` tests start real servers and look from outside.
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, remoteBindings: false })],
        test: {
          name: 'worker',
          // Time is frozen where it matters; this is for machines that are busy.
          testTimeout: 30_000,
          // The real Keystone of `npm run test:keystone`, for test/scenarios/revocation.
          provide: { keystoneUnderTest: process.env.KEYSTONE_UNDER_TEST ?? '' },
          include: ['test/{worker,scenarios}/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/{node,load}/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
