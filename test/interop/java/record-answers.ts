// Tells stories to Apache Kafka and keeps its answers, which ours are held against: `node tools/run-ts.mjs test/interop/java/record-answers.ts [STORY…]`.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { startApacheKafka } from '../apache-kafka.ts'
import { answersFile, everyStory, settingsOf, tellStories } from '../java-stories.ts'

const stories = process.argv.length > 2 ? process.argv.slice(2) : everyStory()

for (const story of stories) {
  await using kafka = await startApacheKafka({ settings: settingsOf(story) })
  const lines = await tellStories([story], kafka.bootstrap)
  mkdirSync(dirname(answersFile(story)), { recursive: true })
  writeFileSync(answersFile(story), lines.map(({ ms: _, ...line }) => `${JSON.stringify(line)}\n`).join(''))
  process.stdout.write(`${story}: ${lines.length} answers\n`)
}
