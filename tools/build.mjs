// Builds `dist`: declarations by tsc, code by esbuild in a few files, because three hundred modules take longer to load than to run.

import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The command, the faces, and what package.json binds: all share their chunks, so there is one instance of everything. */
const ENTRIES = ['cli/main.ts', 'dsl/index.ts', 'runtime/index.ts', 'state/index.ts', 'broker/index.ts', 'broker/client/index.ts', 'broker/open-log.ts', 'test/kit/index.ts']

rmSync(join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' })
await build({
  absWorkingDir: root,
  entryPoints: ENTRIES,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  alias: { '#log': join(root, 'broker/open-log.ts') },
  logLevel: 'warning',
})
process.exitCode = status ?? 1
