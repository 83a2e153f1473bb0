// Checks the rules of the house that no compiler knows: imports point down, no circles, names and first lines (`npm run check`).

import { dirname } from 'node:path'
import { circles } from './circles.ts'
import { readFaces, sourceFiles, type Import, type SourceFile } from './source-tree.ts'

/** What each floor may import besides itself. Tests, examples and tools stand outside the house and may import all of it. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  core: [],
  dsl: ['core'],
  state: ['core'],
  broker: ['core'],
  runtime: ['core', 'state'],
  cli: ['core', 'dsl', 'state', 'broker', 'runtime'],
  'test/kit': ['core', 'dsl', 'state', 'runtime'],
}
/** Packages, each behind one door. */
const DOORS: Readonly<Record<string, RegExp>> = {
  level: /^state\//,
  'classic-level': /^state\//,
  rxjs: /^(runtime|cli)\//,
  'date-fns': /^(core|cli)\//,
  commander: /^cli\//,
  esbuild: /^cli\//,
}
/** The world, which the floors where correctness is hard must not see. */
const WORLD = /^node:(fs|fs\/promises|net|http|https|tls|dgram|child_process|worker_threads|timers|timers\/promises|os)$/
const WITHOUT_WORLD = /^(core|dsl)\//
const NAMELESS = /(^|\/)(types|utils?|helpers?|common|misc|shared)\.ts$/

const root = process.cwd()
const faces = readFaces(root)
const faceFiles = new Set(faces.values())
const house = sourceFiles(root, Object.keys(BELOW), faces)
const outside = sourceFiles(root, ['examples', 'test', 'tools'], faces).filter(file => !file.path.startsWith('test/kit/'))
const problems = [...house.flatMap(houseProblems), ...[...house, ...outside].flatMap(fileProblems), ...circleProblems(house)]

for (const problem of problems) console.error(problem)
console.error(problems.length === 0 ? `${house.length + outside.length} files: the house stands.` : `${problems.length} breaches of the house rules (CONTRIBUTING.md).`)
process.exitCode = problems.length === 0 ? 0 : 1

function houseProblems(file: SourceFile): string[] {
  return file.imports.flatMap(line => (line.path === null ? packageProblems(file, line) : arrowProblems(file, line, line.path)))
}

function packageProblems(file: SourceFile, line: Import): string[] {
  const where = `${file.path}:${line.line}`
  const name = line.specifier.split('/').slice(0, line.specifier.startsWith('@') ? 2 : 1).join('/')
  const door = DOORS[name]
  if (door !== undefined && !door.test(file.path)) return [`${where} imports ${name}, which has its own door (tools/check-house.ts)`]
  if (WITHOUT_WORLD.test(file.path) && WORLD.test(line.specifier)) return [`${where} imports ${line.specifier}: this floor does not see the world`]
  return []
}

function arrowProblems(file: SourceFile, line: Import, target: string): string[] {
  const where = `${file.path}:${line.line}`
  const from = floorOf(file.path)
  const to = floorOf(target)
  if (to === null || from === null) return [`${where} imports ${line.specifier}, which is no part of the house`]
  const found = []
  if (to !== from && !BELOW[from]!.includes(to)) found.push(`${where} imports ${target}: ${from} does not stand on ${to}`)
  if (to === from && faceFiles.has(target) && !faceFiles.has(file.path)) found.push(`${where} imports the face of its own floor`)
  if (line.reexport && !faceFiles.has(file.path)) found.push(`${where} re-exports: only faces (index.ts) do`)
  return found
}

function fileProblems(file: SourceFile): string[] {
  const found = []
  if (NAMELESS.test(file.path)) found.push(`${file.path} has a name that says nothing`)
  if (file.opening === null) found.push(`${file.path} does not open with a sentence that says what it is for`)
  return found
}

/** Circles between files, and between folders (a folder is its own files, without those of its folders). */
function circleProblems(files: readonly SourceFile[]): string[] {
  const fileArrows = new Map<string, Set<string>>()
  const folderArrows = new Map<string, Set<string>>()
  for (const file of files) {
    const targets = file.imports.flatMap(line => (line.path === null ? [] : [line.path]))
    fileArrows.set(file.path, new Set(targets))
    const folder = dirname(file.path)
    const folders = folderArrows.get(folder) ?? new Set()
    folderArrows.set(folder, folders)
    if (!faceFiles.has(file.path)) for (const target of targets) if (dirname(target) !== folder) folders.add(dirname(target))
  }
  return [
    ...circles(fileArrows).map(circle => `files in a circle: ${circle.join(' → ')}`),
    ...circles(folderArrows).map(circle => `folders in a circle: ${circle.join(' → ')}`),
  ]
}

function floorOf(path: string): string | null {
  return Object.keys(BELOW).find(floor => path.startsWith(`${floor}/`)) ?? null
}
