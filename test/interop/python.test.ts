// Python's clients on a Millrace broker on files: confluent-kafka (librdkafka) and kafka-python.

import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { clientLaws } from './client-laws.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { runProgram } from './program.ts'

// Not the first python3 of the path, which may know nothing of Debian's packages.
const PYTHON = '/usr/bin/python3'

let broker: FileBroker
beforeAll(async () => {
  broker = await startFileBroker()
})
afterAll(() => broker?.[Symbol.asyncDispose]())

describe('confluent-kafka', () => {
  clientLaws(() => python('confluent.py', 'confluent'))
})
describe('kafka-python', () => {
  clientLaws(() => python('kafka-python.py', 'kafka-python'))
})

async function python(program: string, topic: string): Promise<string> {
  const hint = 'Install Python and its clients (Debian: apt-get install python3-confluent-kafka python3-kafka).'
  const output = await runProgram(PYTHON, ['-B', join(import.meta.dirname, 'clients', program), broker.bootstrap, topic], { hint })
  return output.toString()
}
