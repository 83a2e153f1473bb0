// The commands that look after a cluster, on our broker.

import { afterAll, beforeAll } from 'vitest'
import { startBroker, type Broker } from '../../broker/server/start-broker.ts'
import { clusterLaws } from './cluster-laws.ts'

let broker: Broker
beforeAll(async () => {
  broker = await startBroker({ memory: true, listen: '127.0.0.1:0' })
})
afterAll(() => broker?.close())

clusterLaws(() => `${broker.address!.host}:${broker.address!.port}`)
