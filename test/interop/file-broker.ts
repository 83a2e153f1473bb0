// A Millrace broker on files and on a port of this machine, for the clients of others; gone with its files when it is closed.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker, type BrokerOptions } from '../../broker/server/start-broker.ts'

export interface FileBroker extends AsyncDisposable {
  readonly bootstrap: string
  readonly dataDirectory: string
  /** Ends the broker; its files stay until it is disposed of. */
  stop(): Promise<void>
}

/** `settings` by Kafka's names. Groups form without the delay that waits for more members. */
export async function startFileBroker(settings: BrokerOptions['settings'] = {}): Promise<FileBroker> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'millrace-interop-'))
  const broker = await startBroker({ dataDirectory, listen: '127.0.0.1:0', settings: { 'group.initial.rebalance.delay.ms': 0, ...settings } })
  return {
    bootstrap: `${broker.address!.host}:${broker.address!.port}`,
    dataDirectory,
    stop: () => broker.close(),
    async [Symbol.asyncDispose]() {
      await broker.close()
      await rm(dataDirectory, { recursive: true, force: true })
    },
  }
}
