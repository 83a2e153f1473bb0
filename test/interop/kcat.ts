// Runs kcat (librdkafka's command line) against a broker: lists, produces, consumes, and reads its JSON.

import { spawn } from 'node:child_process'
import { MillraceError } from '../../core/error.ts'

const TIMEOUT_MS = 60_000

/** A record as `kcat -C -J` prints it. Headers are names and values in turn. */
export interface KcatRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly tstype: string
  readonly ts: number
  readonly headers?: readonly (string | null)[]
  readonly key: string | null
  readonly payload: string | null
}

export interface KcatTopic {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number; readonly leader: number; readonly replicas: readonly { readonly id: number }[]; readonly isrs: readonly { readonly id: number }[] }[]
}

/**
 * Runs kcat to its end and gives what it prints. Must not be called with a broker in this process that is blocked meanwhile.
 * @throws MillraceError if kcat is missing or fails
 */
export function kcat(bootstrap: string, args: readonly string[], input: Buffer | string = ''): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-b', bootstrap, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, KCAT_CONFIG: '/dev/null' }, timeout: TIMEOUT_MS })
    const out: Buffer[] = []
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.on('error', cause => reject(new MillraceError('COMMAND_MISSING', `The command kcat cannot be run: ${cause.message}.`, { hint: 'Install it (Debian: apt-get install kcat).', cause })))
    child.on('close', (status, signal) => {
      if (status === 0) resolve(Buffer.concat(out))
      else reject(new MillraceError('COMMAND_FAILED', `kcat ${args.join(' ')} ended with ${signal ?? `status ${status}`}: ${err}`))
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

export async function kcatTopics(bootstrap: string): Promise<readonly KcatTopic[]> {
  const listed = JSON.parse((await kcat(bootstrap, ['-L', '-J'])).toString()) as { readonly topics: readonly KcatTopic[] }
  return listed.topics
}

/** All records of a topic, from the beginning to the end of each partition, sorted by partition and offset. */
export async function kcatConsume(bootstrap: string, topic: string, args: readonly string[] = []): Promise<readonly KcatRecord[]> {
  return parseRecords(await kcat(bootstrap, ['-C', '-q', '-e', '-J', '-o', 'beginning', '-t', topic, ...args]))
}

/** What a new member of a group reads until the end of its partitions; it commits as it leaves. */
export async function kcatConsumeGroup(bootstrap: string, group: string, topic: string): Promise<readonly KcatRecord[]> {
  return parseRecords(await kcat(bootstrap, ['-q', '-e', '-J', '-X', 'auto.offset.reset=earliest', '-G', group, topic]))
}

function parseRecords(output: Buffer): readonly KcatRecord[] {
  const lines = output.toString('utf8').split('\n').filter(line => line !== '')
  return lines.map(line => JSON.parse(line) as KcatRecord).sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}
