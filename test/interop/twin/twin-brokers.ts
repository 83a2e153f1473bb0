// Starts an Apache Kafka and a Millrace broker with the same settings, for stories told to both.

import { startApacheKafka } from '../apache-kafka.ts'
import { startFileBroker } from '../file-broker.ts'
import { sleep, systemClock } from '../../../core/clock.ts'
import { Storyteller } from './storyteller.ts'
import type { Twins } from './twin-story.ts'

export interface TwinBrokers extends Twins, AsyncDisposable {
  /** With a broker of ours that answers what is on the disk, as it does by default. */
  readonly durable: Twins
}

/** Every eighth story is told to the brokers of which ours keeps what it says. */
export function twinsFor(brokers: TwinBrokers, seed: number): Twins {
  return seed % 8 === 0 ? brokers.durable : brokers
}

const day = String(24 * 3600 * 1000)
/** Nothing is compacted or deleted meanwhile, each broker at its own time. */
const upkeep = { 'log.cleaner.backoff.ms': day, 'log.retention.check.interval.ms': day }
const settings = { ...upkeep, 'log.retention.ms': '-1', 'offsets.topic.num.partitions': '4', 'transaction.state.log.num.partitions': '4', 'num.partitions': '1' }

export async function startTwins(): Promise<TwinBrokers> {
  // With `os` records are there to be read when they are written, as in Apache Kafka: also those that nobody acknowledges.
  const ours = await startFileBroker({ ...settings, 'millrace.flush': 'os' })
  const durable = await startFileBroker(settings)
  const close = async (): Promise<void> => {
    for (const broker of [ours, durable]) await broker[Symbol.asyncDispose]()
  }
  const apache = await startApacheKafka({ settings: { ...settings, 'group.consumer.assignment.interval.ms': '0', 'log.initial.task.delay.ms': day } }).catch(async (error: unknown) => {
    await close()
    throw error
  })
  const [ourPort, durablePort] = [ours, durable].map(({ bootstrap }) => Number(bootstrap.split(':')[1])) as [number, number]
  const watch = new Storyteller(apache.port, 'watch-', async () => {})
  for (const port of [apache.port, ourPort, durablePort]) await warm(port)
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
  let turn = Promise.resolve()
  /** One after the other, where several stories are told at once. */
  const published = (): Promise<void> => (turn = turn.then(publishedOne).then(publishedOne))
  const twins: Twins = { apachePort: apache.port, ourPort, isDurable: false, published, met: new Map() }
  return {
    ...twins,
    durable: { ...twins, ourPort: durablePort, isDurable: true },
    async [Symbol.asyncDispose]() {
      watch.close()
      await close()
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
