// TxnOffsetCommit: a group's positions, which hold when the transaction commits.

import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { offsetsTopic } from '../../engine/group-host.ts'
import type { Handler } from './handler.ts'
import { commitOf, commitProblem, committedTopics, concernsNothing, isAnswered } from './offsets.ts'
import { writeError } from './transaction-errors.ts'

export const txnOffsetCommit: Handler<'TxnOffsetCommit'> = async ({ broker, version }, request) => {
  const { transactionalId, groupId, generationId: generation, memberId, groupInstanceId, producerId, producerEpoch } = request
  const topics = request.topics.filter(({ name, partitions }) => isAnswered(broker, name, partitions))
  const problems = topics.map(topic => topic.partitions.map(asked => commitProblem(broker, topic.name, asked)))
  const answer = (error: number): ResponseInput<'TxnOffsetCommit'> => ({ topics: committedTopics(topics, problems, error) })
  if (concernsNothing(problems)) return answer(0)
  const groups = broker.groupHost(groupId)
  const transactions = broker.transactions.of(transactionalId)
  if (groups === null || transactions === null) return answer(errorCodeOf('NOT_COORDINATOR'))
  const offsets = topics.flatMap((topic, at) => topic.partitions.filter((_, index) => problems[at]![index] === null).map(asked => commitOf(topic.name, asked)))
  const place = broker.groups.partitionOf(groupId)
  const commit = { groupId, memberId, groupInstanceId, generation, offsets, producer: { producerId, producerEpoch } }
  const intent = { transactionalId, producerId, producerEpoch, partitions: new Map([[offsetsTopic, [place]]]), adds: version >= 5, isWhole: true }
  return answer(await transactions.admit(intent, verify => {
    const error = offsetError(verify(offsetsTopic, place), version)
    return error === 'NONE' ? groups.ask<number>((token, now) => groups.coordinator.commitOffsets(commit, token, now)) : errorCodeOf(error)
  }))
}

/** Older clients ask again only where a coordinator is not ready. */
function offsetError(error: ErrorName, version: number): ErrorName {
  return error === 'CONCURRENT_TRANSACTIONS' && version < 5 ? 'COORDINATOR_LOAD_IN_PROGRESS' : writeError(error, version >= 4)
}
