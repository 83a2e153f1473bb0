// Builds the programs of Go's clients (go/), where there is a Go and its modules can be fetched.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../../core/error.ts'
import { runProgram } from './program.ts'

export const goClientNames = ['franz-go', 'sarama', 'kafka-go'] as const
export type GoClientName = (typeof goClientNames)[number]

export interface GoClients extends Disposable {
  /** Runs a program and resolves to what it prints. @throws MillraceError */
  run(client: GoClientName, ...args: readonly string[]): Promise<string>
}

/** @throws MillraceError */
export async function buildGoClients(): Promise<GoClients> {
  const programs = mkdtempSync(join(tmpdir(), 'millrace-go-'))
  await go('build', '-o', `${programs}/`, ...goClientNames.map(name => `./${name}`))
  return {
    run: async (client, ...args) => (await runProgram(join(programs, client), args)).toString(),
    [Symbol.dispose]: () => rmSync(programs, { recursive: true, force: true }),
  }
}

/** Null if there is one, and its modules. */
export async function whyNoGo(): Promise<string | null> {
  try {
    await go('mod', 'download')
    return null
  } catch (error) {
    if (error instanceof MillraceError && ['COMMAND_MISSING', 'COMMAND_FAILED'].includes(error.code)) return error.message.slice(0, 300)
    throw error
  }
}

async function go(...args: readonly string[]): Promise<void> {
  await runProgram('go', ['-C', join(import.meta.dirname, 'go'), ...args])
}
