// Every setting that is listed is read somewhere, stands for a setting of topics that is, or says that it is kept for compatibility.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { brokerConfigs } from '../../../broker/kernel/broker-config.ts'
import type { ConfigDefinition } from '../../../broker/kernel/config-definition.ts'
import { topicConfigs, topicSettings } from '../../../broker/kernel/topic-config.ts'

const broker = join(import.meta.dirname, '../../../broker')
/** All of the broker but the files that only list settings. */
const sources = readdirSync(broker, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts') && !/kernel.[a-z-]*config[a-z-]*\.ts$/.test(file))
  .map(file => readFileSync(join(broker, file), 'utf8'))
  .join('\n')

const readOfTopics = new Set<string>()
topicSettings(name => (readOfTopics.add(name), '1'))
const stoodFor = new Set([...topicConfigs.values()].filter(({ name }) => readOfTopics.has(name)).flatMap(({ synonyms = [] }) => synonyms.map(({ name }) => name)))

/** Of groups, beside their own settings: see groupBoundsProblem. */
const areBounds = /^group\.consumer\.(?:min|max)\.(?:heartbeat\.interval|session\.timeout)\.ms$/

/** Settings of the internal topics are read by what comes before: `offsets.topic`, `transaction.state.log`. */
function isRead(name: string): boolean {
  const ofInternalTopic = /^(?:offsets\.topic|transaction\.state\.log)(\..*)$/.exec(name)
  return sources.includes(`'${name}'`) || areBounds.test(name) || (ofInternalTopic !== null && sources.includes(`${ofInternalTopic[1]!}\``))
}

const isKept = ({ documentation }: ConfigDefinition): boolean => documentation.startsWith('Kept for compatibility')

test.each([...brokerConfigs.values()].map(definition => [definition.name, definition] as const))('%s of a broker', (name, definition) => {
  expect(isKept(definition) || stoodFor.has(name) || isRead(name), definition.documentation).toBe(true)
})

test.each([...topicConfigs.values()].map(definition => [definition.name, definition] as const))('%s of a topic', (name, definition) => {
  expect(isKept(definition) || readOfTopics.has(name), definition.documentation).toBe(true)
})
