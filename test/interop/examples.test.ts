// The examples give the same results on a Millrace broker over TCP and on Apache Kafka as on the embedded log.

import { afterAll, beforeAll, describe } from 'vitest'
import { startBroker, type Broker } from '../../broker/server/start-broker.ts'
import { examplesAreRight } from '../examples/example-laws.ts'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'

describe('on a Millrace broker', () => {
  let broker: Broker
  beforeAll(async () => {
    broker = await startBroker({ memory: true, listen: '127.0.0.1:0' })
  })
  afterAll(() => broker.close())
  examplesAreRight(() => ['--bootstrap', `127.0.0.1:${broker.address!.port}`])
})

describe('on Apache Kafka', () => {
  let kafka: ApacheKafka
  beforeAll(async () => {
    kafka = await startApacheKafka()
  })
  afterAll(() => kafka[Symbol.asyncDispose]())
  examplesAreRight(() => ['--bootstrap', kafka.bootstrap])
})
