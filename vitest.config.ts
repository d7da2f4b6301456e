import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**', 'node_modules/**'],
    setupFiles: ['test/support/poison-arenas.ts'],
    pool: 'forks',
    // By default it is one less than there are cores: one, on a machine of two. Many tests wait for others most of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes in milliseconds; a machine with other work takes its time, and one second was too little.
    expect: { poll: { timeout: 10_000 } },
  },
})
