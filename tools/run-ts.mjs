// Runs one of the project's TypeScript programs: `node tools/run-ts.mjs FILE [ARGUMENT…]`. Bundling takes 50 ms; packages stay outside.

import { build } from 'esbuild'
import { mkdtempSync, readFileSync, rmSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [file, ...rest] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node tools/run-ts.mjs FILE [ARGUMENT…]')
  process.exit(2)
}

// Inside node_modules, so that the packages left outside are found from there.
const cache = join(root, 'node_modules', '.cache', 'run-ts')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'run-'))
const outfile = join(folder, 'program.mjs')
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

await build({
  entryPoints: [resolve(file)],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'error',
  alias: faces(),
  plugins: [{ name: 'import-meta', setup: keepImportMeta }],
})
process.setSourceMapsEnabled(true)
process.argv = [process.argv[0], resolve(file), ...rest]
await import(pathToFileURL(outfile).href)

/** `millrace` and `millrace/…` are this project's sources, as tsconfig.json says. */
function faces() {
  const { paths } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions
  return Object.fromEntries(Object.entries(paths).map(([name, [path]]) => [name, join(root, path)]))
}

/** A bundled file still believes to be where its source is. */
function keepImportMeta(bundler) {
  bundler.onLoad({ filter: /\.ts$/, namespace: 'file' }, async ({ path }) => {
    const text = await readFile(path, 'utf8')
    return { loader: 'ts', contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)) }
  })
}
