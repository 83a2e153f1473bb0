// Partitions as they are named on the command line: a topic with all its partitions, or some of them, as `events:0,2`.

import type { LogAdmin } from '../../core/log-port.ts'
import { MillraceError } from '../../core/error.ts'
import type { TopicPartition } from '../../core/record.ts'
import { expectTopics } from './known-names.ts'

/** In the order named. @throws MillraceError USAGE, UNKNOWN_TOPIC_OR_PARTITION */
export async function partitionsOf(admin: LogAdmin, choices: readonly string[]): Promise<readonly TopicPartition[]> {
  const asked = choices.map(parse)
  const described = await expectTopics(admin, asked.map(({ topic }) => topic))
  return asked.flatMap(({ topic, partitions }, index) => {
    const { partitions: count } = described[index]!
    const stranger = partitions?.find(partition => partition >= count)
    if (stranger !== undefined) throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${stranger}.`, { hint: `It has ${count}, counted from 0.` })
    return (partitions ?? Array.from({ length: count }, (_, partition) => partition)).map(partition => ({ topic, partition }))
  })
}

function parse(choice: string): { readonly topic: string; readonly partitions: readonly number[] | null } {
  const colon = choice.lastIndexOf(':')
  if (colon < 0) return { topic: choice, partitions: null }
  const list = choice.slice(colon + 1)
  if (!/^\d+(,\d+)*$/.test(list)) throw new MillraceError('USAGE', `${choice} names no partitions.`, { hint: 'For example events, or events:0,2.' })
  return { topic: choice.slice(0, colon), partitions: list.split(',').map(Number) }
}
