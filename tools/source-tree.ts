// The project's own TypeScript files: what each says of itself in its first line, and what it imports.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export interface SourceFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string
  readonly text: string
  /** The comment that opens the file, without its slashes; null if it opens with something else. */
  readonly opening: string | null
  readonly imports: readonly Import[]
}

export interface Import {
  /** As written. */
  readonly specifier: string
  /** The project's file it names; null for packages. */
  readonly path: string | null
  /** `export … from`. */
  readonly reexport: boolean
  readonly line: number
}

/** Where `millrace/…` points, by specifier. */
export type Faces = ReadonlyMap<string, string>

/** All `.ts` files below the folders, sorted by path. */
export function sourceFiles(root: string, folders: readonly string[], faces: Faces): readonly SourceFile[] {
  return folders.flatMap(folder => (existsSync(join(root, folder)) ? walk(join(root, folder)) : [])).map(file => {
    const text = readFileSync(file, 'utf8')
    const path = relative(root, file).replaceAll('\\', '/')
    return { path, text, opening: openingOf(text), imports: importsOf(text, path, faces) }
  })
}

/** The package's faces, from the paths in tsconfig.json. */
export function readFaces(root: string): Faces {
  const { paths } = (JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { compilerOptions: { paths: Record<string, [string]> } }).compilerOptions
  return new Map(Object.entries(paths).filter(([name]) => !name.startsWith('#')).map(([name, [path]]) => [name, path.replace(/^\.\//, '')]))
}

function walk(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap(entry => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return []
    if (entry.isDirectory()) return walk(join(folder, entry.name))
    return entry.name.endsWith('.ts') ? [join(folder, entry.name)] : []
  })
}

function openingOf(text: string): string | null {
  const lines = text.split('\n')
  if (lines[0]?.startsWith('#!')) lines.shift()
  const end = lines.findIndex(line => !line.startsWith('//'))
  return end <= 0 ? null : lines.slice(0, end).map(line => line.slice(2).trim()).join(' ')
}

const STATEMENT = /^(?<verb>import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"](?<specifier>[^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"](?<specifier>[^'"]+)['"]/g

function importsOf(text: string, path: string, faces: Faces): readonly Import[] {
  const found = [...text.matchAll(STATEMENT), ...text.matchAll(DYNAMIC)]
  return found.map(match => {
    const specifier = match.groups?.['specifier'] ?? ''
    const own = specifier.startsWith('.') ? join(dirname(path), specifier).replaceAll('\\', '/') : (faces.get(specifier) ?? null)
    return { specifier, path: own, reexport: match.groups?.['verb'] === 'export', line: text.slice(0, match.index).split('\n').length }
  })
}
