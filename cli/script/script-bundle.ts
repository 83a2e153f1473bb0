// Bundles a person's TypeScript: `millrace` means this very package, other packages stay outside, source maps are kept.

import { build, type Plugin, type PluginBuild } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BUILT_FOLDER } from '../place/package-place.ts'

/** Writes the bundle of `path` to `outfile`. Answers the files it was made of, absolute. @throws what esbuild says of code it cannot read */
export async function bundleScript(path: string, outfile: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [path],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'silent',
    metafile: true,
    plugins: [{ name: 'millrace', setup: setUp }],
  })
  return Object.keys(metafile.inputs).map(input => resolve(input))
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
