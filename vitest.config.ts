import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const conditions = ['@matryoshka/source', 'node', 'import', 'module', 'default'];

// Workers, and the many processes that tests start, run the same code again and again: what is compiled of it is kept.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled');

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    // As many as there are cores: the default leaves one of two without work.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tooling/*/src/**/*.test.ts'],
          testTimeout: 60_000,
          // Files share what they import, which halves the work; so no test may leave anything behind in it.
          isolate: false,
          restoreMocks: true,
          unstubEnvs: true,
          unstubGlobals: true,
        },
      },
      {
        extends: true,
        test: {
          // Real processes and real sockets: two files at once, since they wait much; long deadlines.
          name: 'system',
          include: ['apps/*/test/**/*.e2e.test.ts', 'tooling/*/test/**/*.e2e.test.ts'],
          exclude: ['**/*.alone.e2e.test.ts'],
          globalSetup: 'apps/node/test/build-page.ts',
          testTimeout: 300_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // Those that measure real time, and those that keep all cores busy: with nothing beside them.
          name: 'alone',
          include: ['apps/*/test/**/*.alone.e2e.test.ts', 'tooling/*/test/**/*.alone.e2e.test.ts'],
          globalSetup: 'apps/node/test/build-page.ts',
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
