#!/usr/bin/env node
// The command `millrace`: runs what the arguments name and turns how it ended into an exit status.

import { CommanderError } from 'commander'
import { enableCompileCache } from './compile-cache.ts'
import { FAILURE, reportFailure, USAGE } from './terminal/failure.ts'
import { commandLine } from './command-line.ts'
import { Terminal } from './terminal/terminal.ts'

enableCompileCache()
const terminal = new Terminal(process.stdout, process.stderr, process.env)
try {
  await commandLine(terminal).parseAsync(process.argv)
} catch (error) {
  process.exitCode = statusOf(error)
}

function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  return reportFailure(error, terminal, process.argv.includes('--verbose')) || FAILURE
}
