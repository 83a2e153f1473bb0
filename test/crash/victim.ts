// The process that the crash test kills: an application over an embedded log, fed from within, that says what was acknowledged.

import { parseArgs } from 'node:util'
import { openLog } from '../../broker/open-log.ts'
import { systemClock } from '../../core/clock.ts'
import type { LogPort } from '../../core/log-port.ts'
import { silentLogger } from '../../core/logger.ts'
import { systemRandom } from '../../core/random.ts'
import { partitionName } from '../../core/record.ts'
import { serdes, StreamsBuilder } from '../../dsl/index.ts'
import { StreamsApplication } from '../../runtime/index.ts'

const PARTITIONS = 3
const KEYS = 40
const BATCH = 200

const { values: args } = parseArgs({ options: { data: { type: 'string' }, from: { type: 'string' }, verify: { type: 'boolean' } } })
const log = await openLog({ dataDirectory: args.data! }, { clientId: 'victim', clock: systemClock, random: systemRandom, logger: silentLogger })
await log.admin.createTopics([{ name: 'in', partitions: PARTITIONS }, { name: 'out', partitions: PARTITIONS }].filter(await missing(log)))

const builder = new StreamsBuilder()
const ids = serdes.json<number[]>()
builder
  .stream('in', { key: serdes.string, value: serdes.int32 })
  .groupByKey()
  .aggregate({ initializer: (): number[] => [], aggregator: (_, id, seen) => (seen.includes(id) ? seen : [...seen, id]), store: { name: 'seen', value: ids } })
  .toStream()
  .to('out', { value: ids })

const application = new StreamsApplication({ topology: builder, applicationId: 'victim', log, stateDirectory: `${args.data!}/state` })
await application.start()
say({ started: true })
if (args.verify === true) await verify()
else await feed(Number(args.from))

async function missing(port: LogPort): Promise<(topic: { name: string }) => boolean> {
  const there = await port.admin.describeTopics(['in', 'out'])
  return topic => !there.has(topic.name)
}

/** Feeds until it is killed. An id is said to be acknowledged after `flush`, not before. */
async function feed(from: number): Promise<never> {
  const producer = await log.producer({})
  for (let next = from; ; next += BATCH) {
    for (let id = next; id < next + BATCH; id++) {
      const key = `key-${id % KEYS}`
      const value = Buffer.alloc(4)
      value.writeInt32BE(id)
      producer.appender('in', (id % KEYS) % PARTITIONS).append(Buffer.from(key), value, 1_000_000 + id)
    }
    await producer.flush()
    say({ acknowledged: next + BATCH })
  }
}

/** Says what the store holds, what its changelog replays to, and what was put out. */
async function verify(): Promise<void> {
  await application.untilIdle()
  say({
    store: Object.fromEntries(application.store<string, number[]>('seen').all()),
    changelog: Object.fromEntries(await replay('victim-seen-changelog')),
    out: Object.fromEntries(await replay('out')),
  })
  await application.close()
  await log.close()
}

/** The last value of every key of a topic. */
async function replay(topic: string): Promise<Map<string, number[]>> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
  const ends = await log.admin.listOffsets(partitions, 'latest')
  const rows = new Map<string, number[]>()
  const reader = log.reader()
  reader.assign(partitions.map(partition => ({ ...partition, offset: 0 })))
  const open = new Set(partitions.filter(({ partition }) => ends.get(partitionName(topic, partition))! > 0).map(({ partition }) => partition))
  while (open.size > 0) {
    for (const { cursor, partition, nextOffset } of await reader.poll(100)) {
      while (cursor.next()) {
        const key = cursor.buffer.toString('utf8', cursor.keyStart, cursor.keyEnd)
        rows.set(key, JSON.parse(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd)) as number[])
      }
      if (nextOffset >= ends.get(partitionName(topic, partition))!) open.delete(partition)
    }
  }
  await reader.close()
  return rows
}

function say(fact: unknown): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}
