// kcat on a Millrace broker over TCP, its log on disk, beside Millrace's own client.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { connectLog, type LogClient } from '../../broker/client/connect-log.ts'
import { startBroker, type Broker } from '../../broker/server/start-broker.ts'
import { kcatLaws } from './kcat-laws.ts'

describe('a Millrace broker', () => {
  let dataDirectory: string
  let broker: Broker
  let client: LogClient
  const bootstrap = (): string => `${broker.address!.host}:${broker.address!.port}`

  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'millrace-kcat-'))
    broker = await startBroker({ dataDirectory, listen: '127.0.0.1:0', settings: { 'group.initial.rebalance.delay.ms': 0 } })
    client = await connectLog({ bootstrap: bootstrap() })
  })

  afterAll(async () => {
    await client?.close()
    await broker?.close()
    await rm(dataDirectory, { recursive: true, force: true })
  })

  kcatLaws(() => ({ bootstrap: bootstrap(), client }))
})
