// Millrace's client on an Apache Kafka broker, checked by kcat.

import { afterAll, beforeAll, describe } from 'vitest'
import { connectLog, type LogClient } from '../../broker/client/connect-log.ts'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'
import { kcatLaws } from './kcat-laws.ts'

describe('Apache Kafka', () => {
  let kafka: ApacheKafka
  let client: LogClient

  beforeAll(async () => {
    kafka = await startApacheKafka()
    client = await connectLog({ bootstrap: kafka.bootstrap })
  })

  afterAll(async () => {
    await client?.close()
    await kafka?.[Symbol.asyncDispose]()
  })

  kcatLaws(() => ({ bootstrap: kafka.bootstrap, client }))
})
