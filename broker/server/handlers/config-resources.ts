// What has settings, as Kafka numbers it, and what is wrong with the name of one.

import { topicNameProblem } from '../../kernel/catalogue.ts'
import type { Refusal } from '../../kernel/topic-config.ts'

export const resourceType = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

export function isResourceType(type: number): boolean {
  return (Object.values(resourceType) as number[]).includes(type)
}

export function topicNameRefusal(name: string): Refusal | null {
  const problem = topicNameProblem(name)
  return problem === null ? null : { error: 'INVALID_TOPIC_EXCEPTION', message: problem }
}

/** A broker has the settings of itself only. */
export function brokerNameRefusal(nodeId: number, name: string): Refusal | null {
  if (name === String(nodeId)) return null
  if (name === '') return invalid('Broker id must not be empty.')
  if (!/^[+-]?\d+$/.test(name)) return invalid(`Broker id must be an integer, but it is: ${name}.`)
  return invalid(`Unexpected broker id, expected ${nodeId} or empty string, but received ${name}.`)
}

export function unknownTopic(name: string): Refusal {
  return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `The topic '${name}' does not exist.` }
}

export function invalid(message: string): Refusal {
  return { error: 'INVALID_REQUEST', message }
}
