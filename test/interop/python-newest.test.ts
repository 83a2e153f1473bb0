// The newest Python clients of PyPI on a Millrace broker on files: aiokafka, confluent-kafka (librdkafka) and kafka-python. Skipped, saying why, where PyPI is out of reach.

import { afterAll, beforeAll, describe, test } from 'vitest'
import { clientLaws } from './client-laws.ts'
import { newestPythonClient } from './client-programs.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { aiokafkaTransactionLaws, newestClientLaws } from './newest-client-laws.ts'
import { pypiClients } from './pypi-clients.ts'

const PROGRAMS = ['aiokafka-story.py', 'confluent.py', 'kafka-python.py', 'confluent-newest.py'] as const
const clients = pypiClients()

describe.skipIf(typeof clients === 'string')('the newest of PyPI', () => {
  let broker: FileBroker
  let stories: ReadonlyMap<string, Promise<string>>
  beforeAll(async () => {
    if (typeof clients === 'string') return
    broker = await startFileBroker()
    // They mostly wait, so all of them run at once.
    stories = new Map(PROGRAMS.map(program => [program, newestPythonClient(clients, program, broker.bootstrap, program.replace('.py', ''))]))
    await Promise.allSettled(stories.values())
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  describe('aiokafka', () => {
    clientLaws(() => stories.get('aiokafka-story.py')!)
    aiokafkaTransactionLaws(() => stories.get('aiokafka-story.py')!)
  })
  describe('confluent-kafka', () => {
    clientLaws(() => stories.get('confluent.py')!)
  })
  describe('confluent-kafka, beyond what Debian\'s can', () => {
    newestClientLaws(() => stories.get('confluent-newest.py')!)
  })
  describe('kafka-python', () => {
    clientLaws(() => stories.get('kafka-python.py')!)
  })
})

if (typeof clients === 'string') {
  test('the newest of PyPI', ({ skip }) => {
    skip(clients)
  })
}
