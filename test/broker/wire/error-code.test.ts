// The table of error codes agrees with Apache Kafka's, and errors made from it say what to do.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodeFor, errorCodeOf, errorNameOf, errors, isRetriable, kafkaError } from '../../../broker/wire/error-code.ts'
import { MillraceError } from '../../../core/error.ts'

test('the table is Apache Kafka\'s', () => {
  const golden = readFileSync(new URL('golden/kafka-errors-4.3.1.txt', import.meta.url), 'utf8').trimEnd().split('\n')
  expect(Object.entries(errors).map(([name, { code, retriable }]) => `${code} ${name} ${retriable}`)).toEqual(golden)
})

test('an error has Kafka\'s name as code, the context, the broker\'s words and a hint', () => {
  const error = kafkaError(3, 'produce to flights-3', 'This server does not host this topic-partition.')
  expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true })
  expect(error.message).toBe('produce to flights-3: the broker answers UNKNOWN_TOPIC_OR_PARTITION (3): This server does not host this topic-partition. Create the topic, or check its name.')
})

test('a code that is newer than the table is an unknown server error that shows its number', () => {
  expect(errorNameOf(32_000)).toBe('UNKNOWN_SERVER_ERROR')
  expect(isRetriable(32_000)).toBe(false)
  expect(kafkaError(32_000, 'fetch').message).toContain('32000')
})

test('a failure becomes the number of its code', () => {
  expect(errorCodeFor(new MillraceError('INVALID_CONFIG', 'no'))).toBe(errorCodeOf('INVALID_CONFIG'))
  expect(errorCodeFor(new MillraceError('DISK_FAILED', 'no'))).toBe(-1)
  expect(errorCodeFor(new TypeError('a bug'))).toBe(-1)
})
