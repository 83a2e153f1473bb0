// The logs that the client's laws hold for: a broker in memory behind a pipe, and the same behind a socket.

import { connectLog, type ConnectLogOptions, type LogClient } from '../../../broker/client/connect-log.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import { Headers } from '../../../core/headers.ts'
import type { FetchedRecords, LogReader } from '../../../core/log-port.ts'
import type { TopicPartition } from '../../../core/record.ts'

export interface LogUnderTest extends AsyncDisposable {
  /** Another client of the same broker. */
  connect(): Promise<LogClient>
  readonly broker: Broker
}

/** A cluster that runs already: with MILLRACE_TEST_BOOTSTRAP=host:port the laws of groups are asked of it too. */
const running = process.env['MILLRACE_TEST_BOOTSTRAP']

const quietGroups = { 'group.initial.rebalance.delay.ms': 0 }

export const logsUnderTest: Readonly<Record<string, () => Promise<LogUnderTest>>> = {
  pipe: async () => underTest(await startBroker({ memory: true, settings: quietGroups }), broker => ({ connect: () => broker.connect() })),
  TCP: async () => underTest(await startBroker({ memory: true, settings: quietGroups, listen: '127.0.0.1:0' }), broker => ({ bootstrap: `127.0.0.1:${broker.address!.port}` })),
}

/** Those of {@link logsUnderTest}, and the cluster that runs. Its topics and groups are not ours alone. */
export const groupsUnderTest: Readonly<Record<string, () => Promise<Pick<LogUnderTest, 'connect' | typeof Symbol.asyncDispose>>>> = {
  ...logsUnderTest,
  ...(running === undefined ? {} : { [running]: async () => clientsOf({ bootstrap: running }) }),
}

function underTest(broker: Broker, endpoint: (broker: Broker) => ConnectLogOptions): LogUnderTest {
  const clients = clientsOf(endpoint(broker))
  return {
    ...clients,
    broker,
    async [Symbol.asyncDispose]() {
      await clients[Symbol.asyncDispose]()
      await broker.close()
    },
  }
}

function clientsOf(options: ConnectLogOptions): Pick<LogUnderTest, 'connect' | typeof Symbol.asyncDispose> {
  const clients: LogClient[] = []
  return {
    async connect() {
      const client = await connectLog(options)
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close()
    },
  }
}

export interface ReadRow {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, string | null])[]
}

/** Every record that the fetched runs show. */
export function rowsOf(fetched: readonly FetchedRecords[]): ReadRow[] {
  const rows: ReadRow[] = []
  for (const { partition, cursor } of fetched) {
    while (cursor.next()) {
      const { buffer, offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = cursor
      const key = keyStart < 0 ? null : buffer.toString('utf8', keyStart, keyEnd)
      const value = valueStart < 0 ? null : buffer.toString('utf8', valueStart, valueEnd)
      const headers = [...(cursor.headers() ?? new Headers())].map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString()] as const)
      rows.push({ partition, offset, key, value, timestamp, headers })
    }
  }
  return rows
}

/** Polls until there are `count` rows. */
export async function readRows(reader: Pick<LogReader, 'poll'>, count: number): Promise<ReadRow[]> {
  const rows: ReadRow[] = []
  while (rows.length < count) {
    const fetched = await reader.poll(10_000)
    if (fetched.length === 0) throw new Error(`${rows.length} of ${count} records came`)
    rows.push(...rowsOf(fetched))
  }
  return rows
}

/** Everything that a partition holds now. */
export async function readAll(log: LogClient, partitions: readonly TopicPartition[]): Promise<ReadRow[]> {
  const [starts, ends] = [await log.admin.listOffsets(partitions, 'earliest'), await log.admin.listOffsets(partitions, 'latest')]
  const offsetOf = (of: ReadonlyMap<string, number>, { topic, partition }: TopicPartition): number => of.get(`${topic}-${partition}`)!
  const reader = log.reader()
  reader.assign(partitions.map(partition => ({ ...partition, offset: offsetOf(starts, partition) })))
  const rows: ReadRow[] = []
  while (partitions.some(partition => reader.position(partition)! < offsetOf(ends, partition))) rows.push(...rowsOf(await reader.poll(10_000)))
  await reader.close()
  return rows
}
