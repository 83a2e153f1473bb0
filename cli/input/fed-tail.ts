// The records a topic holds above a feed's checkpoint: those among them that came from the file are not fed again.

import type { LogPort } from '../../core/log-port.ts'
import type { Offset } from '../../core/record.ts'
import type { EncodedRecord } from './record-encoder.ts'

export class FedTail {
  readonly #partitions: readonly PartitionTail[]

  private constructor(partitions: readonly PartitionTail[]) {
    this.#partitions = partitions
  }

  /** Reads all partitions of the topic from the given offsets to their ends. `timed`: event times are part of what is compared. */
  static async read(log: LogPort, topic: string, from: readonly Offset[], timed: boolean): Promise<FedTail> {
    const partitions = from.map((_, partition) => ({ topic, partition }))
    const ends = await log.admin.listOffsets(partitions, 'latest')
    const endOf = (partition: number): Offset => ends.get(`${topic}-${partition}`) ?? 0
    const open = new Map(from.map((offset, partition) => [partition, offset] as const).filter(([partition, offset]) => offset < endOf(partition)))
    const tails = from.map(() => new PartitionTail(timed))
    if (open.size === 0) return new FedTail(tails)
    const reader = log.reader()
    reader.assign([...open].map(([partition, offset]) => ({ topic, partition, offset })))
    while (open.size > 0) {
      for (const { partition, cursor, nextOffset } of await reader.poll(1000)) {
        while (cursor.next()) {
          const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamp } = cursor
          const key = keyStart < 0 ? null : buffer.subarray(keyStart, keyEnd)
          const value = valueStart < 0 ? null : buffer.subarray(valueStart, valueEnd)
          tails[partition]!.add({ key, value, timestamp })
        }
        if (nextOffset >= endOf(partition)) open.delete(partition)
      }
    }
    await reader.close()
    return new FedTail(tails)
  }

  /** Whether this record is there already. Records that others wrote in between are passed over. */
  takes(partition: number, record: EncodedRecord): boolean {
    return this.#partitions[partition]?.takes(record) ?? false
  }
}

class PartitionTail {
  readonly #timed: boolean
  /** Where each record stands, oldest first. */
  readonly #places = new Map<string, number[]>()
  #added = 0
  #passed = 0

  constructor(timed: boolean) {
    this.#timed = timed
  }

  add(record: EncodedRecord): void {
    const print = this.#fingerprint(record)
    const places = this.#places.get(print)
    if (places === undefined) this.#places.set(print, [this.#added++])
    else places.push(this.#added++)
  }

  takes(record: EncodedRecord): boolean {
    if (this.#passed === this.#added) return false
    const place = this.#places.get(this.#fingerprint(record))?.find(other => other >= this.#passed)
    if (place === undefined) return false
    this.#passed = place + 1
    return true
  }

  #fingerprint({ key, value, timestamp }: EncodedRecord): string {
    return `${this.#timed ? timestamp : ''}|${latin1(key)}|${latin1(value)}`
  }
}

function latin1(bytes: Uint8Array | null): string {
  return bytes === null ? '-' : `+${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`
}
