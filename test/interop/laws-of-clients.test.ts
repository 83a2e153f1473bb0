// The laws of clients hold on Apache Kafka itself: what they ask of our broker is what a client finds there.

import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'
import { clientLaws } from './client-laws.ts'
import { runProgram } from './program.ts'

let kafka: ApacheKafka
beforeAll(async () => {
  kafka = await startApacheKafka({ settings: { 'log.retention.ms': '604800000' } })
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

describe('confluent-kafka', () => {
  clientLaws(async () => (await runProgram('/usr/bin/python3', ['-B', join(import.meta.dirname, 'clients', 'confluent.py'), kafka.bootstrap, 'confluent'])).toString())
})
