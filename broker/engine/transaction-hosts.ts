// All transaction coordinators of a broker, one per partition of __transaction_state.

import { partitionName } from '../../core/record.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import type { ProducerIdentity, TransactionState } from '../kernel/transaction-state.ts'
import { coordinatorPartitionOf } from './coordinator-log.ts'
import type { Partition } from './partition.ts'
import { TransactionHost, transactionSettings, type TransactionHostParts } from './transaction-host.ts'

export type TransactionHostsParts = Omit<TransactionHostParts, 'partition' | 'settings' | 'patienceMs' | 'isHanging'>

export class TransactionHosts {
  readonly #parts: TransactionHostsParts
  readonly #config: BrokerConfig
  #hosts: readonly TransactionHost[] = []
  #cancels: readonly (() => void)[] = []
  /** Producers whose records are about to be aborted, see {@link endHanging}: once for each partition. */
  readonly #hanging: number[] = []

  constructor(parts: TransactionHostsParts, config: BrokerConfig) {
    this.#parts = parts
    this.#config = config
  }

  /** Replays the partitions and takes over their transactional ids. */
  load(partitions: readonly Partition[]): void {
    if (partitions.length === 0) return
    const settings = transactionSettings(this.#config)
    const patienceMs = (): number => this.#config.number('add.partitions.to.txn.retry.backoff.max.ms')
    const isHanging = (producerId: number): boolean => this.#hanging.includes(producerId)
    this.#hosts = partitions.map(partition => new TransactionHost({ ...this.#parts, partition, settings, patienceMs, isHanging }))
    this.#cancels = [
      this.#every('transaction.abort.timed.out.transaction.cleanup.interval.ms', host => host.expire()),
      this.#every('transaction.remove.expired.transaction.cleanup.interval.ms', host => host.forget()),
    ]
  }

  /**
   * For a start: aborts what no coordinator knows of, since nobody would ever end it, and readers of committed records would stand before it for good.
   * Such records were not acknowledged: their producer went ahead of its coordinator, whose record was lost (or acknowledgements do not wait
   * for the disk). Where it may still write with its epoch the marker has the next one: it may send them again, and must not hear that they are there.
   */
  endHanging(partitions: Iterable<Partition>): void {
    const states = this.#hosts.flatMap(({ coordinator }) => [...coordinator.all()].map(([, state]) => state))
    const known = new Set(states.flatMap(state => placesOf(state)))
    const epochs = new Map(states.map(({ producerId, producerEpoch }) => [producerId, producerEpoch]))
    for (const partition of partitions) {
      for (const producerId of partition.transactions.openProducers()) {
        if (known.has(`${producerId} ${partition.name}`)) continue
        const epoch = partition.producers.epochOf(producerId)
        void this.#abortHanging(partition, { producerId, producerEpoch: epoch === epochs.get(producerId) ? epoch + 1 : epoch })
      }
    }
  }

  async #abortHanging({ topic, index, name, leaderEpoch, transactions }: Partition, { producerId, producerEpoch }: ProducerIdentity): Promise<void> {
    const { markers, logger } = this.#parts
    logger.warn('abort a transaction that no coordinator knows', { partition: name, producerId, since: transactions.openSince(producerId) ?? -1 })
    this.#hanging.push(producerId)
    const isAborted = await markers.writeAll({ producerId, producerEpoch, isCommit: false, coordinatorEpoch: leaderEpoch }, new Map([[topic, [index]]]))
    if (isAborted) this.#hanging.splice(this.#hanging.indexOf(producerId), 1)
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
