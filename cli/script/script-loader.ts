// Loads a topology script: bundles the person's TypeScript, with `millrace` meaning this very package, and takes its default export.

import { build, type Plugin, type PluginBuild } from 'esbuild'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError } from '../../core/error.ts'
import { isTopology, type Topology } from '../../core/topology/topology.ts'
import type { ApplicationDefinition } from '../../runtime/application-definition.ts'
import type { TopologyBuilder } from '../../runtime/application-settings.ts'
import { BUILT_FOLDER } from '../place/package-place.ts'

export interface LoadedScript {
  /** Absolute. */
  readonly path: string
  readonly topology: Topology
  /** Its settings; of a script that exports a bare topology, nothing but that. */
  readonly definition: ApplicationDefinition
  /** What it calls itself, or its file's name. */
  readonly applicationId: string
}

/** @throws MillraceError SCRIPT, what esbuild throws for code it cannot read, and what the script itself throws */
export async function loadScript(file: string): Promise<LoadedScript> {
  const path = resolve(file)
  if (!existsSync(path)) throw new MillraceError('SCRIPT', `There is no script ${file}.`)
  const exported = (await importBundled(path))['default']
  const definition = definitionOf(exported, file)
  const { topology, serdes } = definition
  const name = basename(path, extname(path)).replaceAll(/[^a-zA-Z0-9._-]/g, '-')
  return {
    path,
    topology: isTopology(topology) ? topology : topology.build(serdes === undefined ? {} : { defaults: serdes }),
    definition,
    applicationId: definition.applicationId ?? name,
  }
}

async function importBundled(path: string): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-script-'))
  try {
    const outfile = join(folder, `${basename(path, extname(path))}.mjs`)
    await build({
      entryPoints: [path],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'inline',
      logLevel: 'silent',
      plugins: [{ name: 'millrace', setup: setUp }],
    })
    process.setSourceMapsEnabled(true)
    return (await import(pathToFileURL(outfile).href)) as Record<string, unknown>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** This package's faces, as built. */
const FACES: Readonly<Record<string, string>> = {
  millrace: 'dsl/index.js',
  'millrace/runtime': 'runtime/index.js',
  'millrace/state': 'state/index.js',
  'millrace/broker': 'broker/index.js',
  'millrace/client': 'broker/client/index.js',
  'millrace/testing': 'test/kit/index.js',
}

const setUp: Plugin['setup'] = bundler => {
  bundler.onResolve({ filter: /^millrace(\/|$)/ }, ({ path }) => {
    const face = FACES[path]
    return face === undefined ? null : { path: pathToFileURL(join(BUILT_FOLDER, face)).href, external: true }
  })
  leavePackagesOutside(bundler)
  keepImportMeta(bundler)
}

/** A package is found from where the script is, and stays as it was installed. */
function leavePackagesOutside(bundler: PluginBuild): void {
  bundler.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
    if (pluginData === 'resolving' || kind === 'entry-point') return null
    if (path.startsWith('node:') || builtinModules.includes(path)) return { path, external: true }
    const found = await bundler.resolve(path, { kind, resolveDir, pluginData: 'resolving' })
    if (found.errors.length > 0 || !/[\\/]node_modules[\\/]/.test(found.path)) return found
    return { path: pathToFileURL(found.path).href, external: true }
  })
}

/** A bundled file still believes to be where its source is. */
function keepImportMeta(bundler: PluginBuild): void {
  bundler.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8')
    if (!text.includes('import.meta.')) return null
    const places = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }
    const contents = text.replaceAll(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, name: keyof typeof places) => JSON.stringify(places[name]))
    return { contents, loader: /\.[cm]?ts$/.test(path) ? 'ts' : 'js' }
  })
}

function definitionOf(exported: unknown, file: string): ApplicationDefinition {
  if (isTopology(exported) || isBuilder(exported)) return { topology: exported }
  const topology = typeof exported === 'object' && exported !== null ? (exported as { topology?: unknown }).topology : undefined
  if (isTopology(topology) || isBuilder(topology)) return exported as ApplicationDefinition
  const fact = exported === undefined ? 'has no default export' : 'exports something that is no topology by default'
  throw new MillraceError('SCRIPT', `${file} ${fact}.`, { hint: 'End it with `export default builder.build()`, or with `export default defineApplication({ topology: builder.build(), … })`.' })
}

function isBuilder(value: unknown): value is TopologyBuilder {
  return typeof value === 'object' && value !== null && typeof (value as { build?: unknown }).build === 'function'
}
