// Runs the built command `millrace` as a person would: another process, its outputs and its exit status.

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'dist/cli/main.js')

export interface CommandResult {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs; its outputs grow. */
export interface RunningCommand {
  readonly child: ChildProcess
  readonly ended: Promise<CommandResult>
  stdout(): string
  stderr(): string
  /** Resolves when what is written matches. */
  until(output: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>
}

/** Runs to the end, in the project's folder. */
export function millrace(args: readonly string[], input = ''): Promise<CommandResult> {
  const running = startMillrace(args)
  running.child.stdin!.end(input)
  return running.ended
}

export function startMillrace(args: readonly string[]): RunningCommand {
  if (!existsSync(MAIN)) throw new Error('The command is not built: run `npm run build` first (`npm test` does).')
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, env: { ...process.env, NO_COLOR: '1' }, stdio: ['pipe', 'pipe', 'pipe'] })
  const text = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  const told = (): void => listeners.forEach(listener => listener())
  for (const output of ['stdout', 'stderr'] as const) {
    child[output].setEncoding('utf8').on('data', (data: string) => {
      text[output] += data
      told()
    })
  }
  child.stdin.on('error', () => {}) // It may end before it has read everything.
  const ended = new Promise<CommandResult>((done, failed) => {
    child.once('error', failed)
    child.once('close', (status, signal) => done({ status, signal, ...text }))
  })
  void ended.then(told, told)
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    child,
    ended,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    until: (output, pattern) =>
      new Promise((found, failed) => {
        const look = (): void => {
          const match = pattern.exec(text[output])
          if (match !== null) found(match)
          else if (child.exitCode !== null || child.signalCode !== null) failed(new Error(`the command ended without ${pattern}:\n${text.stdout}\n${text.stderr}`))
          else return
          listeners.delete(look)
        }
        listeners.add(look)
        look()
      }),
  }
}

/** A directory that goes when the test is over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** The objects of NDJSON. */
export function parseLines<T>(text: string): T[] {
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as T)
}
