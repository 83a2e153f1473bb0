// The partitions that a broker has open, made and removed as the catalogue says.

import type { Clock } from '../../core/clock.ts'
import { partitionName } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import type { FilePool } from '../disk/file-pool.ts'
import type { Trash } from '../disk/trash.ts'
import { LentBuffers } from '../wire/lent-buffers.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import type { Topic } from '../kernel/catalogue.ts'
import { topicSettings, type TopicSettings } from '../kernel/topic-config.ts'
import type { Logger } from '../../core/logger.ts'
import type { BrokerMeters } from './broker-meters.ts'
import { Partition, type FlushPolicy, type PartitionParts } from './partition.ts'

export interface PartitionsParts {
  readonly disk: Disk
  readonly pool: FilePool
  readonly trash: Trash
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly logger: Logger
  readonly meters: BrokerMeters
}

/** The ending of a partition's directory that was removed. */
const removedEnding = '-delete'

/** Memory for fetches, kept while there is none. */
const maxIdleReadBytes = 16 * 1024 * 1024

export class Partitions {
  readonly #parts: PartitionsParts
  readonly #topics = new Map<string, Partition[]>()
  /** What fetches read into; answers that were sent are handed back. */
  readonly readBuffers: LentBuffers = new LentBuffers(maxIdleReadBytes)
  /** Epoch of what is appended by this broker since its start. */
  leaderEpoch = 0
  /** Directories that were removed since the start. */
  #removed = 0

  constructor(parts: PartitionsParts) {
    this.#parts = parts
  }

  /** Where they are kept. */
  get disk(): Disk {
    return this.#parts.disk
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

  /** A topic whose files a new one's would be, on a disk that does not tell `A` from `a`; undefined if there is none. */
  twinOf(name: string): string | undefined {
    const folded = name.toLowerCase()
    const twin = [...this.#topics.keys()].find(topic => topic !== name && topic.toLowerCase() === folded)
    return twin !== undefined && this.#parts.disk.foldsCase === true ? twin : undefined
  }

  /** Opens the partitions of a topic that was there before; one whose directory a crash has kept from being made is made. */
  open(topic: Topic): void {
    this.#add(topic, null)
  }

  /** Makes the partitions of a new topic, or more of one that grows. What lies in their place is of no topic and removed. `known`: resolves when a start would find the topic. */
  create(topic: Topic, known: Promise<void>): void {
    this.#add(topic, known)
  }

  #add(topic: Topic, known: Promise<void> | null): void {
    const partitions = this.#topics.get(topic.name) ?? []
    this.#topics.set(topic.name, partitions)
    const settings = this.settingsOf(topic)
    for (let index = partitions.length; index < topic.partitions; index++) {
      if (known !== null) this.#parts.trash.discard([{ from: partitionName(topic.name, index), to: this.#removedName(topic.name, index) }], this.#deleteDelayMs)
      partitions.push(this.openOne(topic.name, index, settings, { owner: topic.id, ...(known === null ? {} : { known }) }))
    }
  }

  openOne(topic: string, index: number, settings: TopicSettings, { owner, ...options }: Pick<PartitionParts, 'known'> & { readonly flush?: FlushPolicy; readonly owner?: string } = {}): Partition {
    const { disk, pool, trash, clock, logger, meters } = this.#parts
    return new Partition({ topic, index, home: { disk, pool, trash, buffers: this.readBuffers, directory: partitionName(topic, index), ...(owner === undefined ? {} : { owner }) }, settings, flush: this.#flushPolicy, ...options, leaderEpoch: this.leaderEpoch, clock, logger, meters })
  }

  get #flushPolicy(): FlushPolicy {
    return this.#parts.config.text('millrace.flush') as FlushPolicy
  }

  configure(topic: Topic): void {
    const settings = this.settingsOf(topic)
    for (const partition of this.of(topic.name)) partition.settings = settings
  }

  /** Ends the partitions of a topic. Answers what removes their files, once nobody can want them back. */
  remove(topic: string): () => Promise<void> {
    const partitions = this.of(topic)
    this.#topics.delete(topic)
    for (const partition of partitions) partition.end()
    this.#parts.meters.forgetTopic(topic)
    return () => this.#discard(partitions)
  }

  async #discard(partitions: readonly Partition[]): Promise<void> {
    for (const partition of partitions) partition.log.remove(this.#removedName(partition.topic, partition.index), this.#deleteDelayMs)
    await this.#parts.disk.syncDirectory('')
  }

  get #deleteDelayMs(): number {
    return this.#parts.config.number('log.segment.delete.delay.ms')
  }

  /** As Apache Kafka calls it: 32 digits that no other has had, and no more than a file's name may have. */
  #removedName(topic: string, index: number): string {
    const id = [this.leaderEpoch, this.#removed++].map(number => number.toString(16).padStart(16, '0')).join('')
    const ending = `-${index}.${id}${removedEnding}`
    return `${topic.slice(0, 255 - ending.length)}${ending}`
  }

  /** Frees the directories of partitions that were removed before. */
  sweep(): void {
    const { disk, trash } = this.#parts
    trash.free(disk.list('').filter(name => name.endsWith(removedEnding)), 0)
  }

  settingsOf(topic: Pick<Topic, 'configs'>): TopicSettings {
    return topicSettings(name => this.#parts.config.topicText(name, topic.configs))
  }

  /** Directories of partitions that no topic has: moved aside, since what is lost in a catalogue must not be lost on the disk. */
  setStraysAside(known: (directory: string) => boolean): void {
    const { disk, logger } = this.#parts
    for (const name of disk.list('')) {
      if (!/^.+-\d+$/.test(name) || known(name)) continue
      const logs = disk.list(name).filter(file => /^\d{20}\.log$/.test(file))
      if (logs.length === 0) continue
      if (logs.every(file => disk.size(`${name}/${file}`) === 0)) {
        disk.remove(name)
        continue
      }
      const aside = `${name}.stray.${this.leaderEpoch}`
      disk.rename(name, aside)
      logger.warn('moved the directory of an unknown partition aside', { from: name, to: aside })
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.all()].map(partition => partition.close()))
    this.#topics.clear()
  }
}
