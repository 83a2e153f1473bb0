// Runs a command of `millrace` in this process: the same command line, the same exit statuses, without a start of Node.

import { CommanderError } from 'commander'
import { Writable } from 'node:stream'
import { commandLine } from '../../cli/command-line.ts'
import { FAILURE, reportFailure, USAGE } from '../../cli/terminal/failure.ts'
import { Terminal } from '../../cli/terminal/terminal.ts'

export interface HereResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** For commands that read no standard input and wait for no signal. */
export async function millraceHere(args: readonly string[]): Promise<HereResult> {
  const stdout = new Collected()
  const stderr = new Collected()
  const terminal = new Terminal(stdout, stderr, { NO_COLOR: '1' })
  try {
    await commandLine(terminal).parseAsync(['node', 'millrace', ...args])
    return { status: 0, stdout: stdout.text, stderr: stderr.text }
  } catch (error) {
    const status = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : USAGE) : reportFailure(error, terminal, false) || FAILURE
    return { status, stdout: stdout.text, stderr: stderr.text }
  }
}

class Collected extends Writable {
  text = ''

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
