// Tells stories to Apache Kafka and keeps its answers, which ours are held against: `node tools/run-ts.mjs test/interop/java/record-answers.ts [STORY…]`.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { startApacheKafka } from '../apache-kafka.ts'
import { answersFile, everyStory, storySettings, tellStories } from '../java-stories.ts'

const stories = process.argv.length > 2 ? process.argv.slice(2) : everyStory()

await using kafka = await startApacheKafka({ settings: storySettings })
for (const story of stories) {
  const lines = await tellStories([story], kafka.bootstrap)
  mkdirSync(dirname(answersFile(story)), { recursive: true })
  writeFileSync(answersFile(story), lines.map(({ ms: _, ...line }) => `${JSON.stringify(line)}\n`).join(''))
  process.stdout.write(`${story}: ${lines.length} answers\n`)
}
