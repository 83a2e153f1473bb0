// Runs other people's programs beside a broker of this process, which must not be held up meanwhile: nothing here blocks.

import { spawn, type ChildProcess } from 'node:child_process'
import { MillraceError } from '../../core/error.ts'

export interface ProgramOptions {
  readonly input?: Buffer | string
  readonly env?: Readonly<Record<string, string>>
  /** It is killed then, and counts as failed. Default 120,000. */
  readonly timeoutMs?: number
  /** What to do when the command is missing. */
  readonly hint?: string
}

/** A program that runs; its output grows. */
export interface RunningProgram {
  /** Resolves with what was found when standard output or standard error match. @throws MillraceError when it ends without a match, or takes too long */
  until(pattern: RegExp): Promise<RegExpExecArray>
  output(): string
  /** Asks it to end (SIGTERM) and waits until it has. */
  stop(): Promise<void>
  /** Ends it without asking (SIGKILL). */
  kill(): Promise<void>
}

/** What it prints until its end. @throws MillraceError COMMAND_MISSING, COMMAND_FAILED with what it said */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = start(command, args, options)
    const out: Buffer[] = []
    let err = ''
    child.stdout!.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-MAX_ERROR_CHARACTERS)))
    child.on('error', cause => reject(missing(command, options, cause)))
    child.on('close', (status, signal) => {
      const output = Buffer.concat(out)
      if (status === 0) resolve(output)
      else reject(failed(command, args, signal ?? `status ${status}`, `${output.subarray(-MAX_ERROR_CHARACTERS).toString()}\n${err}`))
    })
    child.stdin!.on('error', () => {}) // It may end before it has read everything.
    child.stdin!.end(options.input ?? '')
  })
}

/** Starts one that ends only when it is stopped. */
export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): RunningProgram {
  const child = start(command, args, options)
  let text = ''
  const listeners = new Set<() => void>()
  const told = (): void => listeners.forEach(listener => listener())
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (data: string) => {
      text += data
      told()
    })
  }
  const closed = new Promise<void>(resolve => {
    child.once('error', error => {
      text += missing(command, options, error).message
      resolve()
    })
    child.once('close', () => resolve())
  })
  let isClosed = false
  void closed.then(() => {
    isClosed = true
    told()
  })
  return {
    output: () => text,
    until: pattern => new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(text)
        if (match !== null) resolve(match)
        else if (isClosed) reject(failed(command, args, `an end without ${pattern}`, text.slice(-MAX_ERROR_CHARACTERS)))
        else return
        listeners.delete(look)
      }
      listeners.add(look)
      look()
    }),
    stop() {
      child.kill('SIGTERM')
      return closed
    },
    kill() {
      child.kill('SIGKILL')
      return closed
    },
  }
}

const MAX_ERROR_CHARACTERS = 4_000

function start(command: string, args: readonly string[], { env, timeoutMs = 120_000 }: ProgramOptions): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env }, timeout: timeoutMs, killSignal: 'SIGKILL' })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  return child
}

function missing(command: string, { hint }: ProgramOptions, cause: Error): MillraceError {
  return new MillraceError('COMMAND_MISSING', `The command ${command} cannot be run: ${cause.message}.`, { cause, ...(hint === undefined ? {} : { hint }) })
}

function failed(command: string, args: readonly string[], how: string, said: string): MillraceError {
  return new MillraceError('COMMAND_FAILED', `${command} ${args.join(' ').slice(-300)} ended with ${how}: ${said}`)
}
