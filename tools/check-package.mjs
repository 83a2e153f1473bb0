// Packs the project, installs the package in an empty project and uses it as a person would: imports, types and the command.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const FORBIDDEN = /^package\/(test|tools|core|dsl|state|runtime|broker|cli|\.ci)\/(?!README\.md$)|\.test\.|node_modules/
const FACES = ['millrace', 'millrace/runtime', 'millrace/state', 'millrace/broker', 'millrace/client', 'millrace/testing']
const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))

try {
  const run = (command, ...args) => execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root, encoding: 'utf8' }))
  const { files, filename, size, unpackedSize } = Array.isArray(packed) ? packed[0] : Object.values(packed)[0]
  const wrong = files.map(file => `package/${file.path}`).filter(path => FORBIDDEN.test(path))
  if (wrong.length > 0) throw new Error(`the package holds what it should not: ${wrong.join(', ')}`)

  writeFileSync(join(folder, 'package.json'), '{"name":"somebody","private":true,"type":"module"}')
  run('npm', 'install', '--silent', '--no-audit', '--no-fund', join(folder, filename))
  writeFileSync(join(folder, 'faces.mjs'), FACES.map(face => `console.log(${JSON.stringify(face)}, Object.keys(await import(${JSON.stringify(face)})).length)`).join('\n'))
  process.stdout.write(run('node', 'faces.mjs'))
  writeFileSync(join(folder, 'types.ts'), `${FACES.map((face, i) => `import type * as face${i} from '${face}'`).join('\n')}\nexport type All = [${FACES.map((_, i) => `typeof face${i}`).join(', ')}]\n`)
  run('node', join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable', '--skipLibCheck', 'false', '--typeRoots', join(root, 'node_modules/@types'), '--types', 'node', 'types.ts')
  process.stdout.write(`millrace ${run(join(folder, 'node_modules/.bin/millrace'), '--version')}`)
  console.log(`${files.length} files, ${Math.round(size / 1024)} KiB packed, ${Math.round(unpackedSize / 1024)} KiB unpacked, ${readdirSync(join(folder, 'node_modules')).length} packages`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
