// Starts an Apache Kafka and a Millrace broker with the same settings, for stories told to both.

import { startApacheKafka } from '../apache-kafka.ts'
import { startFileBroker } from '../file-broker.ts'
import { sleep, systemClock } from '../../../core/clock.ts'
import { Storyteller } from './storyteller.ts'
import type { Twins } from './twin-story.ts'

export interface TwinBrokers extends Twins, AsyncDisposable {}

const settings = { 'log.retention.ms': '-1', 'offsets.topic.num.partitions': '4', 'transaction.state.log.num.partitions': '4', 'num.partitions': '1' }

export async function startTwins(): Promise<TwinBrokers> {
  // With `os` records are there to be read when they are written, as in Apache Kafka: also those that nobody acknowledges.
  const ours = await startFileBroker({ ...settings, 'millrace.flush': 'os' })
  const apache = await startApacheKafka({ settings: { ...settings, 'group.consumer.assignment.interval.ms': '0' } }).catch(async (error: unknown) => {
    await ours[Symbol.asyncDispose]()
    throw error
  })
  const ourPort = Number(ours.bootstrap.split(':')[1])
  const watch = new Storyteller(apache.port, 'watch-', async () => {})
  for (const port of [apache.port, ourPort]) await warm(port)
  let count = 0
  /** What is decided is made public in its order: a change that is seen has all before it in force, but for the one right before. */
  const publishedOne = async (): Promise<void> => {
    const value = String(1_000_000_000 + count++)
    await watch.inquire('IncrementalAlterConfigs', { resources: [{ resourceType: 2, resourceName: 'watch', configs: [{ name: 'retention.ms', configOperation: 0, value }] }], validateOnly: false })
    for (;;) {
      const { results } = await watch.inquire('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 'watch', configurationKeys: ['retention.ms'] }] })
      if (results[0]!.configs[0]?.value === value) return
      await sleep(systemClock, 2)
    }
  }
  return {
    apachePort: apache.port,
    ourPort,
    published: async () => {
      await publishedOne()
      await publishedOne()
    },
    met: new Map(),
    async [Symbol.asyncDispose]() {
      watch.close()
      await ours[Symbol.asyncDispose]()
      await apache[Symbol.asyncDispose]()
    },
  }
}

/** The coordinators' topics are there, and producer ids. */
async function warm(port: number): Promise<void> {
  const teller = new Storyteller(port, 'warm-', async () => {})
  await teller.inquire('CreateTopics', { topics: [{ name: 'watch', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] })
  const isReady = async (): Promise<boolean> => {
    for (const keyType of [0, 1]) if ((await teller.inquire('FindCoordinator', { keyType, coordinatorKeys: ['warm'] })).coordinators[0]!.errorCode !== 0) return false
    return (await teller.inquire('InitProducerId', { transactionalId: 'warm', transactionTimeoutMs: 1000 })).errorCode === 0
  }
  while (!(await isReady())) await sleep(systemClock, 100)
  teller.close()
}
