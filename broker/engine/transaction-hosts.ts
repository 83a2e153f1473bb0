// All transaction coordinators of a broker, one per partition of __transaction_state.

import { partitionName } from '../../core/record.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import type { TransactionState } from '../kernel/transaction-state.ts'
import { coordinatorPartitionOf } from './coordinator-log.ts'
import type { Partition } from './partition.ts'
import { TransactionHost, transactionSettings, type TransactionHostParts } from './transaction-host.ts'

export type TransactionHostsParts = Omit<TransactionHostParts, 'partition' | 'settings' | 'patienceMs'>

export class TransactionHosts {
  readonly #parts: TransactionHostsParts
  readonly #config: BrokerConfig
  #hosts: readonly TransactionHost[] = []
  #cancels: readonly (() => void)[] = []

  constructor(parts: TransactionHostsParts, config: BrokerConfig) {
    this.#parts = parts
    this.#config = config
  }

  /** Replays the partitions and takes over their transactional ids. */
  load(partitions: readonly Partition[]): void {
    if (partitions.length === 0) return
    const settings = transactionSettings(this.#config)
    const patienceMs = (): number => this.#config.number('add.partitions.to.txn.retry.backoff.max.ms')
    this.#hosts = partitions.map(partition => new TransactionHost({ ...this.#parts, partition, settings, patienceMs }))
    this.#cancels = [
      this.#every('transaction.abort.timed.out.transaction.cleanup.interval.ms', host => host.expire()),
      this.#every('transaction.remove.expired.transaction.cleanup.interval.ms', host => host.forget()),
    ]
  }

  /**
   * For a start: aborts what no coordinator knows of. That can only be where acknowledgements did not wait for the disk, or the disk lost what it
   * had; nobody would ever end it, and readers of committed records would stand before it for good.
   */
  endHanging(partitions: Iterable<Partition>): void {
    const { markers, logger } = this.#parts
    const known = new Set(this.#hosts.flatMap(({ coordinator }) => [...coordinator.all()].flatMap(([, state]) => placesOf(state))))
    for (const partition of partitions) {
      const { topic, index, name, leaderEpoch } = partition
      for (const producerId of partition.transactions.openProducers()) {
        if (known.has(`${producerId} ${name}`)) continue
        logger.warn('abort a transaction that no coordinator knows', { partition: name, producerId, since: partition.transactions.openSince(producerId) ?? -1 })
        const marker = { producerId, producerEpoch: partition.producers.epochOf(producerId), isCommit: false, coordinatorEpoch: leaderEpoch }
        void markers.writeAll(marker, new Map([[topic, [index]]]))
      }
    }
  }

  get all(): readonly TransactionHost[] {
    return this.#hosts
  }

  /** The host of a transactional id; null before __transaction_state is made. */
  of(transactionalId: string): TransactionHost | null {
    return this.#hosts[coordinatorPartitionOf(transactionalId, Math.max(1, this.#hosts.length))] ?? null
  }

  close(): void {
    for (const cancel of this.#cancels) cancel()
    this.#parts.markers.close()
    for (const host of this.#hosts) host.close()
  }

  /** Answers how to stop. */
  #every(setting: string, action: (host: TransactionHost) => void): () => void {
    let cancel = (): void => {}
    const wait = (): void => {
      cancel = this.#parts.clock.after(this.#config.number(setting), () => {
        wait()
        for (const host of this.#hosts) action(host)
      })
    }
    wait()
    return () => cancel()
  }
}

function placesOf({ producerId, partitions }: TransactionState): readonly string[] {
  return [...partitions].flatMap(([topic, indexes]) => indexes.map(index => `${producerId} ${partitionName(topic, index)}`))
}
