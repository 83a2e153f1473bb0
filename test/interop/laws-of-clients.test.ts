// The laws of clients hold on Apache Kafka itself: what they ask of our broker is what a client finds there, so that a failure is told apart from a client's own fault.

import { afterAll, beforeAll, describe } from 'vitest'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'
import { clientLaws } from './client-laws.ts'
import { javascriptClient, pythonClient } from './client-programs.ts'

let kafka: ApacheKafka
beforeAll(async () => {
  kafka = await startApacheKafka({ settings: { 'log.retention.ms': '604800000' } })
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
