// Which tests there are: unit (npm test), interop with other people's software, and the long forms of nightly.

import { readFileSync } from 'node:fs'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const paths = (JSON.parse(readFileSync(new URL('tsconfig.json', import.meta.url), 'utf8')) as { compilerOptions: { paths: Record<string, [string]> } }).compilerOptions.paths
const alias = Object.entries(paths).map(([name, [file]]) => ({ find: new RegExp(`^${name}$`), replacement: new URL(file, import.meta.url).pathname }))

const everything = ['test/**/*.test.ts']
const interop = ['test/interop/**/*.test.ts']
const shortInterop = ['test/interop/**/!(*.nightly).test.ts']
const nightly = ['test/**/*.nightly.test.ts']

/** Tests that print a seed read `MILLRACE_SEED`; those with a longer form look for `MILLRACE_NIGHTLY`. */
const config: ViteUserConfig = defineConfig({
  resolve: { alias },
  test: {
    pool: 'threads',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'unit', include: everything, exclude: [...interop, ...nightly], testTimeout: 20_000, hookTimeout: 20_000 } },
      { extends: true, test: { name: 'interop', include: interop, exclude: nightly, fileParallelism: false, testTimeout: 180_000, hookTimeout: 300_000 } },
      {
        extends: true,
        test: { name: 'nightly', include: everything, exclude: shortInterop, env: { MILLRACE_NIGHTLY: '1' }, testTimeout: 1_800_000, hookTimeout: 120_000 },
      },
    ],
  },
})

export default config
