// kcat on a Millrace broker over TCP, beside Millrace's own client.

import { afterAll, beforeAll, describe } from 'vitest'
import { connectLog, type LogClient } from '../../broker/client/connect-log.ts'
import { startBroker, type Broker } from '../../broker/server/start-broker.ts'
import { kcatLaws } from './kcat-laws.ts'

describe('a Millrace broker', () => {
  let broker: Broker
  let client: LogClient
  const bootstrap = (): string => `${broker.address!.host}:${broker.address!.port}`

  beforeAll(async () => {
    broker = await startBroker({ memory: true, listen: '127.0.0.1:0', settings: { 'group.initial.rebalance.delay.ms': 0 } })
    client = await connectLog({ bootstrap: bootstrap() })
  })

  afterAll(async () => {
    await client?.close()
    await broker?.close()
  })

  kcatLaws(() => ({ bootstrap: bootstrap(), client }))
})
