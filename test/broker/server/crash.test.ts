// A broker that crashes at any moment and byte: what it acknowledged is there afterwards, once, in order, and nothing is there that was never sent.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { batchOf, recordsOf } from '../log/batches.ts'

type Step = { readonly produce: number; readonly partition: number } | 'turns' | 'hold' | 'let go' | { readonly crash: number; readonly zeros: number } | 'restart'

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ produce: fc.integer({ min: 1, max: 4 }), partition: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.constant('turns' as const) },
  { weight: 2, arbitrary: fc.constantFrom('hold' as const, 'let go' as const) },
  { weight: 1, arbitrary: fc.record({ crash: fc.double({ min: 0, max: 1, noNaN: true }), zeros: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
)

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
}

async function readAll(channel: Channel, partition: number): Promise<readonly string[]> {
  const values: string[] = []
  for (let fetchOffset = 0; ; ) {
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition, fetchOffset, partitionMaxBytes: 300 }] }] }, { version: 11 })
    const records = recordsOf(responses[0]!.partitions[0]!.records!, fetchOffset)
    if (records.length === 0) return values
    for (const { offset, value } of records) values[offset] = value!
    fetchOffset = records.at(-1)!.offset + 1
  }
}

test('acknowledged records outlive every crash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async steps => {
      let disk = new MemoryDisk()
      const start = () => startBroker({ disk, clock: new VirtualClock(1000), random: seededRandom(3) })
      let broker = await start()
      let channel = broker.connect()
      await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [{ name: 'segment.bytes', value: '500' }] }] })
      const sent = [new Set<string>(), new Set<string>()]
      const acknowledged: [Map<number, string>, Map<number, string>] = [new Map(), new Map()]
      let release = (): void => {}
      let next = 0
      const produce = (count: number, partition: number): void => {
        const values = Array.from({ length: count }, () => `v${next++}`)
        for (const value of values) sent[partition]!.add(value)
        const records = batchOf(values.map(value => ({ key: null, value, timestamp: 1000 })))
        void channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: partition, records }] }] }, { version: 11 }).then(({ responses }) => {
          const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
          if (errorCode === 0) values.forEach((value, index) => acknowledged[partition]!.set(baseOffset + index, value))
        }, () => {})
      }
      for (const step of [...steps, 'restart' as const]) {
        if (step === 'turns') await turns()
        else if (step === 'hold') disk.syncGate ??= new Promise(resolve => (release = resolve))
        else if (step === 'let go' || step === 'restart') {
          disk.syncGate = null
          release()
          await turns()
          if (step === 'restart') {
            await broker.close()
            broker = await start()
            channel = broker.connect()
          }
        } else if ('produce' in step) produce(step.produce, step.partition)
        else {
          disk = disk.crash(({ synced, size }) => {
            const keep = synced + Math.floor((size - synced) * step.crash)
            return { keep, zeros: Math.min(step.zeros, size - keep) }
          })
          // Nobody hears what a dead broker goes on to say.
          channel.close()
          release()
          await turns()
          broker = await start()
          channel = broker.connect()
        }
      }
      for (const partition of [0, 1] as const) {
        const values = await readAll(channel, partition)
        for (const [offset, value] of acknowledged[partition]) expect(values[offset]).toBe(value)
        expect(new Set(values).size).toBe(values.length)
        for (const value of values) expect(sent[partition]!.has(value)).toBe(true)
      }
      await broker.close()
    }),
    { numRuns: 60 },
  )
})
