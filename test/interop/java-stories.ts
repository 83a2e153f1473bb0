// Tells the stories of java/stories (steps that Apache Kafka's own clients take) to a broker; the answers of Apache Kafka itself are kept in java/answers.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchApacheKafka, fetchJars, javaArguments, javaArgumentsWith, javaCache } from './apache-kafka.ts'
import { runProgram } from './program.ts'

/** What a step printed: what came of it, or the class and message of what it threw. */
export interface StoryLine {
  readonly story: string
  readonly step: string
  readonly result?: unknown
  readonly error?: string
  readonly message?: string
  readonly ms?: number
}

/** Settings that a story is told with, on our broker as on Apache Kafka. */
export const storySettings: Readonly<Record<string, string>> = {
  'group.consumer.heartbeat.interval.ms': '300',
  'group.consumer.min.heartbeat.interval.ms': '300',
  'group.initial.rebalance.delay.ms': '0',
  'log.retention.ms': '604800000',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
}

/** Of a story that needs others than most do. */
export function settingsOf(story: string): Readonly<Record<string, string>> {
  return story === 'ToolsStory' ? { ...storySettings, 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users': 'User:ANONYMOUS' } : storySettings
}

/** Tells stories one after the other, in one Java program. `settings` are further ones of its clients. @throws MillraceError */
export async function tellStories(stories: readonly string[], bootstrap: string, settings: Readonly<Record<string, string>> = {}): Promise<readonly StoryLine[]> {
  const args = [bootstrap, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ...stories]
  return await tell([...javaArguments('Story', [await compiledStories()]), ...args])
}

/** The versions of Apache Kafka's clients that java/old-clients.xml names. */
export function oldClients(): readonly string[] {
  return readdirSync(fetchOldClients()).map(name => /^kafka-clients-(.*)\.jar$/.exec(name)![1]!).sort()
}

/** Tells the story of old clients with clients of a former version. @throws MillraceError */
export async function tellOldClients(version: string, bootstrap: string): Promise<readonly StoryLine[]> {
  const libraries = fetchApacheKafka()
  const others = readdirSync(libraries).filter(name => !/^(kafka|connect)/.test(name)).map(name => join(libraries, name))
  const classPath = [await compiledStories(), join(fetchOldClients(), `kafka-clients-${version}.jar`), ...others]
  return await tell([...javaArgumentsWith(classPath, 'Story'), bootstrap, 'OldClientsStory'])
}

/** What Apache Kafka answered when the story was told to it; java/record-answers.ts writes it. */
export function recordedAnswers(story: string): readonly StoryLine[] {
  const file = answersFile(story)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').trim().split('\n').map(text => JSON.parse(text) as StoryLine)
}

/** The stories there are. */
export function everyStory(): readonly string[] {
  return readdirSync(sourceFolder).filter(name => /.Story\.java$/.test(name)).map(name => name.replace('.java', '')).sort()
}

export function answersFile(story: string): string {
  return fileURLToPath(new URL(`java/answers/${story}.ndjson`, import.meta.url))
}

const STORIES_TIMEOUT_MS = 240_000
const fetchOldClients = (): string => fetchJars('old-clients.xml', 'dependency:copy')
const sourceFolder = fileURLToPath(new URL('java/stories', import.meta.url))

async function tell(javaArgs: readonly string[]): Promise<readonly StoryLine[]> {
  const output = await runProgram('java', javaArgs, { timeoutMs: STORIES_TIMEOUT_MS })
  return output.toString().split('\n').filter(text => text.startsWith('{')).map(text => JSON.parse(text) as StoryLine)
}

/** The folder of the stories' classes, compiled once for each state of the sources. */
async function compiledStories(): Promise<string> {
  const files = readdirSync(sourceFolder).filter(name => name.endsWith('.java')).sort().map(name => join(sourceFolder, name))
  const libraries = fetchApacheKafka()
  const hash = createHash('sha256').update(libraries)
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(file))
  const folder = join(javaCache(), `java-stories-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(folder)) return folder
  // Beside it first, so that an interrupted compilation is never taken for a whole one.
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  await runProgram('javac', ['-d', fresh, '-cp', join(libraries, '*'), ...files], { hint: 'Install a JDK, 17 or newer (Debian: openjdk-17-jdk-headless).' })
  if (existsSync(folder)) rmSync(fresh, { recursive: true })
  else renameSync(fresh, folder)
  return folder
}
