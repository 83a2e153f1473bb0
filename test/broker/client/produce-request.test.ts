// What a producer makes of each answer to a batch.

import { expect, it } from 'vitest'
import { judge, type Verdict } from '../../../broker/client/produce-request.ts'
import { errors, kafkaError, type ErrorName } from '../../../broker/wire/error-code.ts'

const table: readonly (readonly [ErrorName, string, Verdict])[] = [
  ['NONE', '', 'acknowledged'],
  ['DUPLICATE_SEQUENCE_NUMBER', '', 'acknowledged'],
  ['NOT_LEADER_OR_FOLLOWER', '', 'again'],
  ['REQUEST_TIMED_OUT', '', 'again'],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', '', 'again'],
  ['CORRUPT_MESSAGE', '', 'again'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'behind another', 'behind'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'oldest', 'restart'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'oldest, may be there', 'fatal'],
  ['UNKNOWN_PRODUCER_ID', 'oldest', 'restart'],
  ['INVALID_PRODUCER_EPOCH', 'behind another', 'behind'],
  ['MESSAGE_TOO_LARGE', '', 'too large'],
  ['RECORD_LIST_TOO_LARGE', '', 'too large'],
  ['INVALID_RECORD', '', 'fatal'],
  ['TOPIC_AUTHORIZATION_FAILED', '', 'fatal'],
]

it.each(table)('%s %s: %s', (name, where, verdict) => {
  const error = name === 'NONE' ? null : kafkaError(errors[name].code, 'produce')
  expect(judge({ baseOffset: 0, error }, where.startsWith('oldest'), where.endsWith('may be there'))).toBe(verdict)
})
