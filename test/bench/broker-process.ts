// A `millrace broker` in a process of its own, found again through a file with its id: started, stopped, started again on the same directory.

import { spawn } from 'node:child_process'
import { openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { sleep, systemClock } from '../../core/clock.ts'

const LONGEST_WAIT_MS = 30_000
const RETRY_MS = 10

export interface BrokerPlace {
  /** The built command, `dist/cli/main.js`. */
  readonly command: string
  readonly directory: string
  readonly port: number
  /** Of the broker, by Kafka's names; topics have 4 partitions. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Resolves when it accepts connections. */
export async function startBrokerProcess({ command, directory, port, settings = {} }: BrokerPlace): Promise<void> {
  const output = openSync(join(directory, 'broker.out'), 'a')
  const child = spawn(process.execPath, [command, 'broker', '--listen', `127.0.0.1:${port}`, '--data', directory, ...Object.entries({ 'num.partitions': '4', ...settings }).flatMap(([name, value]) => ['--set', `${name}=${value}`])], { stdio: ['ignore', output, output], detached: true })
  child.unref()
  writeFileSync(idFile(directory), String(child.pid))
  for (const end = systemClock.monotonic() + LONGEST_WAIT_MS; !(await accepts(port)); await sleep(systemClock, RETRY_MS)) {
    if (child.exitCode !== null || systemClock.monotonic() > end) throw new Error(`the broker did not start:\n${readFileSync(join(directory, 'broker.out'), 'utf8')}`)
  }
}

/** Resolves when the process is gone. */
export async function stopBrokerProcess({ directory }: Pick<BrokerPlace, 'directory'>): Promise<void> {
  const id = brokerProcessId({ directory })
  if (lives(id)) process.kill(id, 'SIGTERM')
  for (const end = systemClock.monotonic() + LONGEST_WAIT_MS; lives(id); await sleep(systemClock, RETRY_MS)) {
    if (systemClock.monotonic() > end) process.kill(id, 'SIGKILL')
  }
  rmSync(idFile(directory))
}

export function brokerProcessId({ directory }: Pick<BrokerPlace, 'directory'>): number {
  return Number(readFileSync(idFile(directory), 'utf8'))
}

function idFile(directory: string): string {
  return join(directory, 'broker.pid')
}

function lives(id: number): boolean {
  try {
    process.kill(id, 0)
    return !readFileSync(`/proc/${id}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false // There is no such process any more.
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
