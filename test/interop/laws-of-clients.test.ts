// The laws of clients hold on Apache Kafka itself: what they ask of our broker is what a client finds there, so that a failure is told apart from a client's own fault.

import { afterAll, beforeAll, describe } from 'vitest'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'
import { clientLaws } from './client-laws.ts'
import { javascriptClient, newestPythonClient, pythonClient } from './client-programs.ts'
import { aiokafkaTransactionLaws, newestClientLaws } from './newest-client-laws.ts'
import { pypiClients } from './pypi-clients.ts'

let kafka: ApacheKafka
beforeAll(async () => {
  // Its first look for old records comes after half a minute, and takes those of the stories, which have times of long ago.
  kafka = await startApacheKafka({ settings: { 'log.retention.ms': '604800000', 'log.initial.task.delay.ms': '3600000' } })
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

describe('confluent-kafka', () => {
  clientLaws(() => pythonClient('confluent.py', kafka.bootstrap, 'confluent'))
})
describe('kafka-python', () => {
  clientLaws(() => pythonClient('kafka-python.py', kafka.bootstrap, 'kafka-python'))
})
describe('kafkajs', () => {
  clientLaws(() => javascriptClient('kafkajs.mjs', kafka.bootstrap, 'kafkajs'))
})
describe('@platformatic/kafka', () => {
  clientLaws(() => javascriptClient('platformatic.mjs', kafka.bootstrap, 'platformatic'))
})

const newest = pypiClients()
describe.skipIf(typeof newest === 'string')('the newest of PyPI', () => {
  const tell = (program: string, topic: string) => (): Promise<string> => {
    if (typeof newest === 'string') throw new Error(newest)
    return newestPythonClient(newest, program, kafka.bootstrap, topic)
  }
  describe('aiokafka', () => {
    let story: Promise<string> | undefined
    const once = (): Promise<string> => (story ??= tell('aiokafka-story.py', 'aiokafka')())
    clientLaws(once)
    aiokafkaTransactionLaws(once)
  })
  describe('confluent-kafka', () => {
    clientLaws(tell('confluent.py', 'newest-confluent'))
  })
  describe('confluent-kafka, beyond what Debian\'s can', () => {
    newestClientLaws(tell('confluent-newest.py', 'newer-confluent'))
  })
  describe('kafka-python', () => {
    clientLaws(tell('kafka-python.py', 'newest-kafka-python'))
  })
})
