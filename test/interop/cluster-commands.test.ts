// The commands that look after a cluster, on Apache Kafka.

import { afterAll, beforeAll } from 'vitest'
import { clusterLaws } from '../cli/cluster-laws.ts'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'

let kafka: ApacheKafka
beforeAll(async () => {
  kafka = await startApacheKafka({ settings: { 'transaction.partition.verification.enable': 'false' } })
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

clusterLaws(() => kafka.bootstrap, { canHang: true })
