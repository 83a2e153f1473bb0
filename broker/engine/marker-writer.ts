// Puts the markers that end transactions into partitions, and tells the group coordinators of those in __consumer_offsets.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { TransactionMarker } from '../wire/control-batch.ts'
import type { ErrorName } from '../wire/error-code.ts'
import { errorFields } from './error-fields.ts'
import { offsetsTopic } from './group-host.ts'
import type { GroupHosts } from './group-hosts.ts'
import type { Partitions } from './partitions.ts'
import { Patience } from './patience.ts'

export interface MarkerWriterParts {
  readonly partitions: Partitions
  readonly groups: GroupHosts
  readonly clock: Clock
  readonly logger: Logger
}

/** Between two tries to write a marker. There is no last one: until it is written nobody reads on. */
const retryDelayMs = 1000

export class MarkerWriter {
  readonly #parts: MarkerWriterParts
  readonly #patience: Patience

  constructor(parts: MarkerWriterParts) {
    this.#parts = parts
    this.#patience = new Patience(parts.clock)
  }

  /** Resolves to true when the marker is acknowledged in all partitions that there still are; to false when the broker closes before. */
  async writeAll(marker: TransactionMarker, partitions: ReadonlyMap<string, readonly number[]>): Promise<boolean> {
    const all = [...partitions].flatMap(([topic, indexes]) => indexes.map(index => this.#untilWritten(marker, topic, index)))
    return (await Promise.all(all)).every(isWritten => isWritten)
  }

  async #untilWritten(marker: TransactionMarker, topic: string, index: number): Promise<boolean> {
    for (let isAgain = false; !this.#patience.isClosed; isAgain = true) {
      const outcome = await this.write(marker, topic, index, { unlessEnded: isAgain })
      if (outcome !== 'KAFKA_STORAGE_ERROR') return outcome !== 'NOT_LEADER_OR_FOLLOWER'
      await this.#patience.pause(retryDelayMs)
    }
    return false
  }

  /** Once: KAFKA_STORAGE_ERROR where another try may help; otherwise the marker is acknowledged, or there is no place for it (any more). `unlessEnded`: one that is there need not be there twice. */
  async write(marker: TransactionMarker, topic: string, index: number, { unlessEnded }: { readonly unlessEnded: boolean }): Promise<ErrorName> {
    const { partitions, groups, logger } = this.#parts
    const partition = partitions.get(topic, index)
    if (partition === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
    try {
      if (!(unlessEnded && partition.isEnded(marker)) && partition.appendMarker(marker) === null) return 'INVALID_PRODUCER_EPOCH'
      await partition.committed(partition.log.endOffset)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      // The topic was deleted, or the broker is closing: nobody can read what is there.
      if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error.code === 'NOT_LEADER_OR_FOLLOWER') return error.code
      logger.error('could not write the end of a transaction', { partition: partition.name, producerId: marker.producerId, ...errorFields(error) })
      return 'KAFKA_STORAGE_ERROR'
    }
    if (topic === offsetsTopic) groups.all[index]?.endTransaction(marker)
    return 'NONE'
  }

  close(): void {
    this.#patience.close()
  }
}
