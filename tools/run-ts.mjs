// Runs one of the project's TypeScript programs: `node tools/run-ts.mjs FILE [ARGUMENT…]`. The bundle is kept until one of its
// sources changes, so that only the first run pays for it; packages stay outside.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [file, ...rest] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node tools/run-ts.mjs FILE [ARGUMENT…]')
  process.exit(2)
}

const program = await bundled(resolve(file))
process.setSourceMapsEnabled(true)
process.argv = [process.argv[0], resolve(file), ...rest]
await import(pathToFileURL(program).href)

/** The bundle of a program, made anew if it is not there or a source has changed. */
async function bundled(entry) {
  // Inside node_modules, so that the packages left outside are found from there.
  const cache = join(root, 'node_modules', '.cache', 'run-ts')
  mkdirSync(cache, { recursive: true })
  const index = join(cache, `${createHash('sha256').update(entry).digest('hex').slice(0, 16)}.json`)
  const kept = existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')) : null
  if (kept !== null && existsSync(kept.program) && kept.sources.every(([path, changedMs]) => changedAt(path) === changedMs)) return kept.program
  const folder = mkdtempSync(join(cache, 'run-'))
  const made = join(folder, 'program.mjs')
  const sources = await bundle(entry, made)
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ program: made, sources: sources.map(path => [path, changedAt(path)]) }))
  renameSync(join(folder, 'index.json'), index)
  if (kept !== null) rmSync(join(kept.program, '..'), { recursive: true, force: true })
  return made
}

function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}

/** Answers the files it was made of. */
async function bundle(entry, outfile) {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: 'linked',
    logLevel: 'error',
    metafile: true,
    alias: faces(),
    plugins: [{ name: 'import-meta', setup: keepImportMeta }],
  })
  return [join(root, 'tsconfig.json'), ...Object.keys(metafile.inputs).map(path => join(root, path))]
}

/** `millrace` and `millrace/…` are this project's sources, as tsconfig.json says. */
function faces() {
  const { paths } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions
  return Object.fromEntries(Object.entries(paths).map(([name, [path]]) => [name, join(root, path)]))
}

/** A bundled file still believes to be where its source is. */
function keepImportMeta(bundler) {
  bundler.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
    const text = readFileSync(path, 'utf8')
    return { loader: 'ts', contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)) }
  })
}
