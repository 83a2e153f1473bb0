// DescribeLogDirs: how many bytes the partitions have, and how much room their directory.

import type { Topic } from '../../kernel/catalogue.ts'
import { MillraceError } from '../../../core/error.ts'
import { errorFields } from '../../engine/error-fields.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeFor } from '../../wire/error-code.ts'
import type { Handler } from './handler.ts'

type Directory = ResponseInput<'DescribeLogDirs'>['results'][number]
type DescribedTopic = Directory['topics'][number]

/** There is one directory; null asks for all partitions, and those that are not here are left out, as Apache Kafka does. */
export const describeLogDirs: Handler<'DescribeLogDirs'> = ({ broker }, { topics }) => {
  const { disk } = broker.partitions
  try {
    return { errorCode: 0, results: [{ errorCode: 0, logDir: disk.name, topics: topicsOf(broker, topics), ...disk.space() }] }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    broker.logger.error('could not look at the log directory', errorFields(error))
    return { errorCode: 0, results: [{ errorCode: errorCodeFor(error), logDir: disk.name, topics: [] }] }
  }
}

function topicsOf(broker: BrokerState, asked: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null): readonly DescribedTopic[] {
  const all = [...broker.catalogue.topics.values()]
  const wanted = asked === null ? null : new Map(asked.map(({ topic, partitions }) => [topic, new Set(partitions)]))
  return all.map(topic => describe(broker, topic, wanted === null ? null : (wanted.get(topic.name) ?? nothing))).filter(({ partitions }) => partitions.length > 0)
}

const nothing: ReadonlySet<number> = new Set<number>()

function describe(broker: BrokerState, { name }: Topic, wanted: ReadonlySet<number> | null): DescribedTopic {
  const partitions = broker.partitions.of(name).filter(({ index }) => wanted === null || wanted.has(index))
  return { name, partitions: partitions.map(({ index, log }) => ({ partitionIndex: index, partitionSize: log.bytes, offsetLag: 0, isFutureKey: false })) }
}
