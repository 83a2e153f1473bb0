// Where we answer otherwise than Apache Kafka on purpose: in which fields, when, and why.

import type { ApiName } from '../../../broker/wire/apis.ts'
import type { Difference } from './difference.ts'
import { hasRepeats, type Body } from './plain-answer.ts'
import type { Ask } from './storyteller.ts'

/** A difference and what is around it. */
export interface Found extends Difference {
  readonly ask: Ask
  /** The innermost parts of the answers that hold the field and an error code. */
  readonly around: { readonly apache: Body; readonly ours: Body }
}

export interface Departure {
  readonly because: string
  readonly apis: readonly ApiName[]
  /** The paths that it covers, with `n` for places in lists; '' is an answer that never came. */
  readonly fields: RegExp
  readonly when: (found: Found) => boolean
  /** Whether the brokers hold something else from then on, so that the story ends there. */
  readonly endsStory?: boolean
  /** Hundreds of stories may pass without it. */
  readonly isRare?: boolean
}

const stumbles = ({ around }: Found): boolean => around.apache['errorCode'] === -1 && around.ours['errorCode'] !== -1
const hasBatch = (body: Body, text: RegExp): boolean => text.test(JSON.stringify(body))

export const departures: Readonly<Record<string, Departure>> = {
  'the source of min.insync.replicas': {
    because: 'A new cluster of Apache Kafka 4.1 and later sets min.insync.replicas for all its brokers when it is formatted (ELR); ours has nothing to elect.',
    apis: ['CreateTopics', 'DescribeConfigs'],
    fields: /^(topics|results)\.n\.configs\.n\.(configSource|source)$/,
    when: ({ apache, ours }) => apache === 3 && ours === 5,
  },
  'the synonyms of some settings of topics': {
    because: 'A few settings of topics have no setting of the broker here that stands for them; Apache Kafka has one, or none and says so.',
    apis: ['DescribeConfigs'],
    fields: /^results\.n\.configs\.n\.synonyms/,
    when: () => true,
  },
  'rules that are none': {
    because: 'Apache Kafka hangs up on unknown numbers in ACLs and filters of them; ours says what is wrong.',
    apis: ['DescribeAcls', 'CreateAcls', 'DeleteAcls'],
    fields: /^$/,
    when: ({ apache }) => apache === 'hung up',
  },
  'what is served': {
    because: 'What is not served here is not said to be.',
    apis: ['ApiVersions'],
    fields: /^(apiKeys|supportedFeatures|finalizedFeatures)/,
    when: ({ around }) => around.apache['errorCode'] === 0 && around.ours['errorCode'] === 0,
  },
  'a user altered twice': {
    isRare: true,
    because: 'Apache Kafka takes one change of a user in a request; ours one of each mechanism.',
    apis: ['AlterUserScramCredentials'],
    fields: /^results\.n\.errorCode$/,
    when: ({ apache }) => apache === 92,
    endsStory: true,
  },
  'an empty password': {
    isRare: true,
    because: 'Apache Kafka stumbles over a salted password of no bytes; ours says UNACCEPTABLE_CREDENTIAL.',
    apis: ['AlterUserScramCredentials'],
    fields: /^results\.n\.errorCode$/,
    when: found => stumbles(found) && found.ours === 93,
  },
  'a marker of nobody': {
    isRare: true,
    because: 'Apache Kafka stumbles over negative ids and epochs of producers, or writes a marker of nobody; ours says INVALID_PRODUCER_EPOCH.',
    apis: ['WriteTxnMarkers'],
    fields: /^markers\.n\.topics\.n\.partitions\.n\.errorCode$/,
    when: found => found.ours === 47 && (stumbles(found) || (found.apache === 0 && hasBatch(found.ask.body, /"producerId":-/))),
    endsStory: true,
  },
  'partitions of a topic without an id': {
    isRare: true,
    because: 'Apache Kafka stumbles over several partitions of the topic whose id is none; ours says UNKNOWN_TOPIC_ID.',
    apis: ['Fetch'],
    fields: /^(errorCode|responses)$/,
    when: ({ around, ask }) => around.apache['errorCode'] === -1 && hasBatch(ask.body, /"topicId":"00000000-0000-0000-0000-000000000000"/),
  },
  'a compression that is none': {
    because: 'Apache Kafka stumbles over numbers of codecs that nobody has, if it comes to that; ours says UNSUPPORTED_COMPRESSION_TYPE at once.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.(errorCode|baseOffset|logAppendTimeMs|logStartOffset|recordErrors)/,
    when: found => (stumbles(found) || found.around.ours['errorCode'] === 76) && hasBatch(found.ask.body, /"damage":"codec [57]"/),
    endsStory: true,
  },
  'what cannot be decompressed': {
    because: 'Apache Kafka stumbles over records that are not compressed as their batch says; ours says INVALID_RECORD.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.errorCode$/,
    when: found => stumbles(found) && found.around.ours['errorCode'] === 87 && hasBatch(found.ask.body, /"damage":"(gzip, it says|a record scrambled|first record longer|one record too many)"/),
  },
  'a batch in the transaction of another': {
    isRare: true,
    because: 'Apache Kafka asks the coordinator only where the partition is not in the producer\'s transaction yet; ours always, so that a transactional id must be the producer\'s own.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.(errorCode|baseOffset|logAppendTimeMs|logStartOffset|recordErrors)/,
    when: ({ ask, around }) => around.apache['errorCode'] !== around.ours['errorCode'] && (around.ours['errorCode'] === 49 || (around.ours['errorCode'] === 42 && ask.body['transactionalId'] === '')),
    endsStory: true,
  },
  'a broken batch of another producer': {
    isRare: true,
    because: 'Apache Kafka counts the producers of a request before it looks whether their batches are whole; ours counts those of whole ones.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.(errorCode|baseOffset|logAppendTimeMs|logStartOffset|recordErrors)/,
    when: ({ ask, around }) => around.apache['errorCode'] === 49 && hasBatch(ask.body, /"damage"/),
    endsStory: true,
  },
  'metrics of clients': {
    isRare: true,
    because: 'Apache Kafka takes settings for metrics of clients; ours collects none, and says so.',
    apis: ['DescribeConfigs', 'AlterConfigs', 'IncrementalAlterConfigs'],
    fields: /^(responses\.n\.errorCode|results\.n\.configs)$/,
    when: ({ ask, around }) => around.ours['resourceType'] === 16 && (ask.api === 'DescribeConfigs' || around.ours['errorCode'] === 42),
  },
  'a group of which nothing is written': {
    isRare: true,
    because: 'A commit of which nothing was taken makes a group that Apache Kafka deletes when asked to, but does not show before something is written; ours shows it.',
    apis: ['DescribeGroups'],
    fields: /^groups\.n\.(groupState|errorCode|authorizedOperations)$/,
    when: ({ around }) => around.apache['groupState'] === 'Dead' && around.ours['groupState'] === 'Empty',
  },
  'a group of which nothing is written, among all': {
    isRare: true,
    because: 'As the one before, where all groups are listed; those that somebody joins then, too.',
    apis: ['ListGroups'],
    fields: /^groups$/,
    when: ({ apache, ours }) => {
      const told = new Set((apache as readonly Body[]).map(group => JSON.stringify(group)))
      const others = (ours as readonly Body[]).filter(group => !told.delete(JSON.stringify(group)))
      return told.size === 0 && others.every(group => group['groupType'] === 'classic' || group['groupType'] === '')
    },
  },
  'a classic group whose assignments are none': {
    isRare: true,
    because: 'Apache Kafka stumbles over what is no assignment of the consumer protocol when a member of the new protocol comes; ours says GROUP_ID_NOT_FOUND, as of subscriptions that are none.',
    apis: ['ConsumerGroupHeartbeat'],
    fields: /^errorCode$/,
    when: found => stumbles(found) && found.ours === 69,
  },
  'a resource that is altered twice': {
    isRare: true,
    because: 'Apache Kafka may never answer where a resource is named twice; ours says INVALID_REQUEST.',
    apis: ['AlterConfigs', 'IncrementalAlterConfigs'],
    fields: /^$/,
    when: ({ apache, ask }) => apache === 'silent' && hasRepeats(ask.body),
  },
  'no transactions to add to': {
    isRare: true,
    because: 'Apache Kafka never answers where no transaction is named; ours answers for none.',
    apis: ['AddPartitionsToTxn'],
    fields: /^$/,
    when: ({ apache, ask }) => apache === 'silent' && JSON.stringify(ask.body['transactions']) === '[]',
  },
  'who gets which of several topics': {
    isRare: true,
    because: 'Where members read different topics Apache Kafka divides them in an order that follows from their ids, which chance gives; ours in that of their names. As many to each.',
    apis: ['ConsumerGroupHeartbeat'],
    fields: /^assignment\.topicPartitions/,
    when: ({ around }) => around.apache['memberEpoch'] === around.ours['memberEpoch'] && Math.abs(partitionsIn(around.apache) - partitionsIn(around.ours)) <= 1,
    endsStory: true,
  },
  'an instance id that a member had before': {
    isRare: true,
    because: 'Apache Kafka goes on to know a member by an instance id that it gave up for another, after the member has left, so that nobody can ever join by it; ours forgets it with the member.',
    apis: ['ConsumerGroupHeartbeat'],
    fields: /^(errorCode|memberId|memberEpoch|heartbeatIntervalMs|assignment)$/,
    when: ({ ask, around }) => around.apache['errorCode'] === 25 && around.ours['errorCode'] === 0 && ask.body['memberEpoch'] === 0 && ask.body['instanceId'] !== null,
    endsStory: true,
  },
  'offsets in a transaction that has none there': {
    isRare: true,
    because: 'Apache Kafka asks the coordinator only where the producer has no transaction in the partition of the group, be it one that nobody ends any more, or of another transactional id; ours always.',
    apis: ['TxnOffsetCommit'],
    fields: /^topics\.n\.partitions\.n\.errorCode$/,
    when: ({ apache, ours }) => apache === 0 && (ours === 120 || ours === 49),
    endsStory: true,
  },
  'a first batch after others that were refused': {
    because: 'Apache Kafka remembers of a producer whose transaction was not known yet which sequence it tried first, and in which way of transactions; ours does not.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.(errorCode|baseOffset|logAppendTimeMs)$/,
    when: ({ around }) => ['[0,45]', '[45,0]'].includes(JSON.stringify([around.apache['errorCode'], around.ours['errorCode']])),
    endsStory: true,
  },
  'a first batch after others that were refused, unanswered': {
    isRare: true,
    because: 'As the one before, where nobody waits for an answer: Apache Kafka hangs up.',
    apis: ['Produce'],
    fields: /^$/,
    when: ({ apache, ask }) => apache === 'hung up' && ask.body['acks'] === 0 && ask.body['transactionalId'] !== null,
    endsStory: true,
  },
  'a time before all others': {
    because: 'Apache Kafka stumbles over negative timestamps where it writes a batch anew; ours takes them.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.(errorCode|baseOffset|logAppendTimeMs)$/,
    when: found => stumbles(found) && hasBatch(found.ask.body, /"timestamp":-5/),
    endsStory: true,
  },
  'a member that was named joins as a static one': {
    because: 'Apache Kafka stumbles over it; ours says UNKNOWN_MEMBER_ID.',
    apis: ['JoinGroup'],
    fields: /^(errorCode|memberId)$/,
    when: found => stumbles(found) && found.around.ours['errorCode'] === 25,
  },
  'an operation on settings that is none': {
    because: 'Apache Kafka stumbles over it when it comes to it, and alters nothing then; ours says INVALID_REQUEST of all resources, and alters nothing.',
    apis: ['IncrementalAlterConfigs'],
    fields: /^responses\.n\.errorCode$/,
    when: found => found.ours === 42 && hasBatch(found.ask.body, /"configOperation":(-|[4-9]|\d\d)/),
    endsStory: true,
  },
  'a topic without a name and an id': {
    isRare: true,
    because: 'Apache Kafka stumbles over it; ours says INVALID_TOPIC_EXCEPTION, and goes on.',
    apis: ['Metadata'],
    fields: /^(errorCode|brokers|controllerId|topics|topics\.n\.(errorCode|topicAuthorizedOperations))$/,
    when: ({ ask }) => hasBatch(ask.body, /"topicId":"00000000-0000-0000-0000-000000000000","name":null/),
  },
  'a member without a name': {
    because: 'Apache Kafka stumbles over an epoch of no member; ours says UNKNOWN_MEMBER_ID.',
    apis: ['OffsetFetch'],
    fields: /^groups\.n\.errorCode$/,
    when: found => stumbles(found) && found.ours === 25,
  },
  'aborted transactions behind what is read': {
    isRare: true,
    because: 'Apache Kafka names those up to the next entry of its index; ours those in the batches that it sends.',
    apis: ['Fetch'],
    fields: /^responses\.n\.partitions\.n\.abortedTransactions$/,
    when: ({ apache, ours }) => Array.isArray(apache) && Array.isArray(ours) && apache.length > ours.length,
  },
  'aborted transactions of a batch that does not fit': {
    isRare: true,
    because: 'Apache Kafka has no list of them where the limit lets no batch through; ours an empty one.',
    apis: ['Fetch'],
    fields: /^responses\.n\.partitions\.n\.abortedTransactions$/,
    when: ({ apache, ours }) => apache === null && Array.isArray(ours) && ours.length === 0,
  },
  'the last stable offset before the start of the log': {
    isRare: true,
    because: 'Apache Kafka goes on to tell where an open transaction began whose first records were deleted; ours tells where the log begins.',
    apis: ['Fetch'],
    fields: /^responses\.n\.partitions\.n\.lastStableOffset$/,
    // Older versions do not tell where the log begins.
    when: ({ apache, ours, around }) => [ours, -1].includes(around.apache['logStartOffset']) && Number(apache) < Number(ours),
  },
  'a time in a segment of which nothing is left': {
    isRare: true,
    because: 'Apache Kafka looks into the first segment that is new enough only, all of whose records may have been deleted; ours looks into the next.',
    apis: ['ListOffsets'],
    fields: /^topics\.n\.partitions\.n\.(timestamp|offset|leaderEpoch)$/,
    when: ({ around }) => around.apache['offset'] === -1 && Number(around.ours['offset']) >= 0,
  },
  'the newest of what was deleted': {
    isRare: true,
    because: 'Apache Kafka tells of the newest record of the segment, be it deleted; ours only of what is there.',
    apis: ['ListOffsets'],
    fields: /^topics\.n\.partitions\.n\.(timestamp|offset|leaderEpoch)$/,
    when: ({ ask, around }) => hasBatch(ask.body, /"timestamp":-3\b/) && around.ours['offset'] === -1 && Number(around.apache['offset']) >= 0,
  },
  'more partitions than an int32 can count': {
    isRare: true,
    because: 'Apache Kafka adds up the partitions of a request in 32 bits, so that too many can be few; ours counts them.',
    apis: ['CreateTopics'],
    fields: /^topics\.n\./,
    when: ({ ask, around }) => around.ours['errorCode'] === 44 && hasBatch(ask.body, /"numPartitions":2147483647/),
    endsStory: true,
  },
  'a batch behind a marker that no coordinator wrote': {
    isRare: true,
    because: 'Where an admin has written a marker of a later epoch only the partition knows of it: Apache Kafka asks it first, ours the coordinator.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.(errorCode|logStartOffset)$/,
    when: ({ around }) => around.apache['errorCode'] === 47 && (around.ours['errorCode'] === 47 || around.ours['errorCode'] === 48),
    endsStory: true,
  },
  'one broken batch': {
    because: 'Apache Kafka refuses all of a Produce request whose batch has an impossible length or magic; ours refuses that batch.',
    apis: ['Produce'],
    fields: /^responses\.n\.partitionResponses\.n\.(errorCode|baseOffset|logAppendTimeMs|logStartOffset|recordErrors)/,
    when: ({ ask, around }) => around.apache['errorCode'] === 2 && hasBatch(ask.body, /"damage":"(magic 3|tiny length)"/),
    endsStory: true,
  },
}

function partitionsIn({ assignment }: Body): number {
  const { topicPartitions } = assignment as { readonly topicPartitions: readonly { readonly partitions: readonly number[] }[] }
  return topicPartitions.reduce((count, { partitions }) => count + partitions.length, 0)
}

/** The name of the departure that covers it. */
export function departureOf(found: Found): string | undefined {
  const path = found.path.replace(/(?<=\.|^)\d+(?=\.|$)/g, 'n')
  return Object.keys(departures).find(name => {
    const { apis, fields, when } = departures[name]!
    return apis.includes(found.ask.api) && fields.test(path) && when(found)
  })
}
