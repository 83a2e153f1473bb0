// The partitions that a broker has open, made and removed as the catalogue says.

import type { Clock } from '../../core/clock.ts'
import { partitionName } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import type { FilePool } from '../disk/file-pool.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import type { Topic } from '../kernel/catalogue.ts'
import { topicSettings, type TopicSettings } from '../kernel/topic-config.ts'
import type { Logger } from '../../core/logger.ts'
import { Partition, type FlushPolicy } from './partition.ts'

export interface PartitionsParts {
  readonly disk: Disk
  readonly pool: FilePool
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly logger: Logger
}

const identityFile = 'partition.metadata'

export class Partitions {
  readonly #parts: PartitionsParts
  readonly #topics = new Map<string, Partition[]>()
  /** Epoch of what is appended by this broker since its start. */
  leaderEpoch = 0

  constructor(parts: PartitionsParts) {
    this.#parts = parts
  }

  get(topic: string, index: number): Partition | undefined {
    return this.#topics.get(topic)?.[index]
  }

  of(topic: string): readonly Partition[] {
    return this.#topics.get(topic) ?? []
  }

  *all(): Iterable<Partition> {
    for (const partitions of this.#topics.values()) yield* partitions
  }

  /** Opens what is there and makes what is not. A directory that an earlier topic of that name left behind is removed. */
  open(topic: Topic): void {
    const partitions = this.#topics.get(topic.name) ?? []
    this.#topics.set(topic.name, partitions)
    const settings = this.settingsOf(topic)
    for (let index = partitions.length; index < topic.partitions; index++) partitions.push(this.openOne(topic.name, index, topic.id, settings))
  }

  openOne(topic: string, index: number, topicId: string, settings: TopicSettings): Partition {
    const { disk, pool, clock, logger } = this.#parts
    const directory = partitionName(topic, index)
    const identity = disk.readFile(`${directory}/${identityFile}`)?.toString('utf8')
    const expected = `version: 0\ntopic_id: ${topicId}\n`
    if (identity !== expected) {
      if (identity !== undefined) disk.remove(directory)
      disk.makeDirectory(directory)
      disk.writeFile(`${directory}/${identityFile}`, Buffer.from(expected), false)
    }
    const flush = this.#parts.config.text('millrace.flush') as FlushPolicy
    return new Partition({ topic, index, home: { disk, pool, directory }, settings, flush, leaderEpoch: this.leaderEpoch, clock, logger })
  }

  configure(topic: Topic): void {
    const settings = this.settingsOf(topic)
    for (const partition of this.of(topic.name)) partition.settings = settings
  }

  remove(topic: string): void {
    const partitions = this.of(topic)
    this.#topics.delete(topic)
    for (const partition of partitions) partition.remove()
  }

  settingsOf(topic: Pick<Topic, 'configs'>): TopicSettings {
    return topicSettings(name => this.#parts.config.topicText(name, topic.configs))
  }

  /** Directories of partitions that no topic has: moved aside, since what is lost in a catalogue must not be lost on the disk. */
  setStraysAside(known: (directory: string) => boolean): void {
    const { disk, logger } = this.#parts
    for (const name of disk.list('')) {
      if (!/^.+-\d+$/.test(name) || known(name) || disk.size(`${name}/${identityFile}`) === null) continue
      disk.rename(name, `${name}.stray`)
      logger.warn('moved the directory of an unknown partition aside', { from: name, to: `${name}.stray` })
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.all()].map(partition => partition.close()))
    this.#topics.clear()
  }
}
