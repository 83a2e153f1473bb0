// Who may write, read and delete records, and ask where they are.

import { MillraceError } from '../../../../core/error.ts'
import { operation, resourceType } from '../../../kernel/acl.ts'
import { errorCodeOf } from '../../../wire/error-code.ts'
import { allowsCluster, allowsTopic } from '../access.ts'
import { partly, type Asking, type Guard } from '../guard.ts'

const topicRefused = errorCodeOf('TOPIC_AUTHORIZATION_FAILED')
const message = 'Topic authorization failed.'

/** Of a topic named by its id where the version has ids; undefined where there is none, which the handler says. */
export function nameOf({ broker, version }: Asking, topic: { readonly topicId: string }, name: string, sinceIds: number): string | undefined {
  return version >= sinceIds ? broker.catalogue.topicById(topic.topicId)?.name : name
}

/** A transactional batch without a transactional id is refused by the handler. */
export const guardProduce: Guard<'Produce'> = (asking, request) => {
  const { access } = asking
  const { acks, topicData, transactionalId } = request
  const refusedWith = (topics: typeof topicData, errorCode: number) => topics.map(({ name, topicId, partitionData }) => ({
    name, topicId, partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1, errorMessage: errorCode === topicRefused ? message : null })),
  }))
  if (transactionalId !== null && !access.allows(operation.write, resourceType.transactionalId, transactionalId)) {
    if (acks === 0) throw refusedSilently()
    return { answer: { responses: refusedWith(topicData, errorCodeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')) } }
  }
  const isAllowed = (topic: (typeof topicData)[number]): boolean => {
    const name = nameOf(asking, topic, topic.name, 13)
    return name === undefined || allowsTopic(access, operation.write, name)
  }
  if (acks === 0 && !topicData.every(isAllowed)) throw refusedSilently()
  return partly({
    request, items: topicData, isAllowed,
    narrow: allowed => ({ ...request, topicData: allowed }),
    widen: (answer, refused) => ({ ...answer, responses: [...answer.responses, ...refusedWith(refused, topicRefused)] }),
  })
}

/** With acks 0 the end of the connection is all that a client can learn from. */
function refusedSilently(): MillraceError {
  return new MillraceError('PRODUCE_REFUSED', 'A Produce with acks 0 is not allowed.')
}

/** Replicas of other brokers do not fetch here; who says to be one needs what a broker has. */
export const guardFetch: Guard<'Fetch'> = (asking, request) => {
  const { access, version } = asking
  const isReplica = (version >= 15 ? request.replicaState.replicaId : request.replicaId) >= 0
  return partly({
    request, items: request.topics,
    isAllowed: topic => {
      const name = nameOf(asking, topic, topic.topic, 13)
      return isReplica ? allowsCluster(access, operation.clusterAction) : name === undefined || allowsTopic(access, operation.read, name)
    },
    // What is refused is answered at once.
    narrow: topics => ({ ...request, topics, maxWaitMs: 0 }),
    widen: (answer, refused) => ({
      ...answer,
      responses: [...answer.responses, ...refused.map(({ topic, topicId, partitions }) => ({ topic, topicId, partitions: partitions.map(({ partition }) => unread(partition)) }))],
    }),
  })
}

function unread(partitionIndex: number) {
  return { partitionIndex, errorCode: topicRefused, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, abortedTransactions: null, records: Buffer.alloc(0) }
}

export const guardListOffsets: Guard<'ListOffsets'> = ({ access }, request) =>
  partly({
    request, items: request.topics,
    isAllowed: ({ name }) => allowsTopic(access, operation.describe, name),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({
      topics: [...answer.topics, ...refused.map(({ name, partitions }) => ({ name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: topicRefused })) }))],
    }),
  })

export const guardOffsetForLeaderEpoch: Guard<'OffsetForLeaderEpoch'> = ({ access }, request) =>
  partly({
    request, items: request.topics,
    isAllowed: ({ topic }) => allowsTopic(access, operation.describe, topic) || allowsCluster(access, operation.clusterAction),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({
      topics: [...answer.topics, ...refused.map(({ topic, partitions }) => ({ topic, partitions: partitions.map(({ partition }) => ({ partition, errorCode: topicRefused })) }))],
    }),
  })

export const guardDeleteRecords: Guard<'DeleteRecords'> = ({ access }, request) =>
  partly({
    request, items: request.topics,
    isAllowed: ({ name }) => allowsTopic(access, operation.delete, name),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({
      topics: [...answer.topics, ...refused.map(({ name, partitions }) => ({ name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode: topicRefused })) }))],
    }),
  })

export const guardDescribeProducers: Guard<'DescribeProducers'> = ({ access }, request) =>
  partly({
    request, items: request.topics,
    isAllowed: ({ name }) => allowsTopic(access, operation.read, name),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({
      topics: [...answer.topics, ...refused.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode: topicRefused, activeProducers: [] })) }))],
    }),
  })
