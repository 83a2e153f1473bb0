// One run of a script: files are fed, the application processes, outputs are printed, until all is done or somebody says stop.

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { LogPort, LogProducer, NewTopic } from '../../core/log-port.ts'
import type { Logger } from '../../core/logger.ts'
import type { TopicSerdes } from '../../core/topology/node.ts'
import type { Topology } from '../../core/topology/topology.ts'
import type { InputSource } from '../../runtime/application-definition.ts'
import { StreamsApplication, type ApplicationMetrics } from '../../runtime/application.ts'
import { userTopicConfig } from '../../runtime/user-topics.ts'
import { FeedCheckpointFile } from '../input/feed-checkpoint.ts'
import { Feeder } from '../input/feeder.ts'
import { FileFeed } from '../input/file-feed.ts'
import { recordEncoder } from '../input/record-encoder.ts'
import { nearest } from '../terminal/nearest-name.ts'
import { DEFAULT_DATA, type LogPlace } from '../terminal/log-connection.ts'
import { OutputPrinter, type Output } from '../output/output-printer.ts'
import type { OutputTarget } from '../output/output-target.ts'
import type { LoadedScript } from './script-loader.ts'

export interface ScriptRunOptions {
  readonly script: LoadedScript
  readonly applicationId: string
  /** Where state, and how far files were read, is kept; and whether the log is elsewhere. */
  readonly place: LogPlace
  /** The run closes it. */
  readonly log: LogPort
  /** By topic; files as they are to be opened. */
  readonly inputs: ReadonlyMap<string, InputSource>
  /** By topic: where its records go. */
  readonly outputs: ReadonlyMap<string, (bytes: number | null) => Promise<OutputTarget>>
  /** Of topics that are made. */
  readonly partitions: number
  readonly logger: Logger
}

export interface RunProgress {
  readonly fed: number
  /** Of all input files that were read to here; null where a size is unknown. */
  readonly share: number | null
  readonly printed: number
  readonly metrics: ApplicationMetrics
}

export class ScriptRun {
  readonly #options: ScriptRunOptions
  readonly #log: LogPort
  readonly #producer: LogProducer
  readonly #application: StreamsApplication
  readonly #feeder: Feeder
  readonly #printer: OutputPrinter

  private constructor(options: ScriptRunOptions, producer: LogProducer, feeder: Feeder, printer: OutputPrinter) {
    this.#options = options
    this.#log = options.log
    this.#producer = producer
    this.#feeder = feeder
    this.#printer = printer
    this.#application = new StreamsApplication(applicationSettings(options))
  }

  /** Makes the topics that are missing, and the files ready. @throws MillraceError USAGE, INPUT, and what the log throws */
  static async open(options: ScriptRunOptions): Promise<ScriptRun> {
    const { log, script, applicationId } = options
    const sources = checkInputs(options)
    const partitions = await makeTopics(log, options)
    const producer = await log.producer({ clientId: `${applicationId}-feeder` })
    const feeds: FileFeed[] = []
    for (const [topic, source] of options.inputs) feeds.push(await openFeed(options, producer, topic, source, sources.get(topic)!, partitions.get(topic)!))
    const feeder = new Feeder(feeds, producer, () => systemClock.turn())
    const outputs = [...options.outputs].map(([topic, open]) => ({ topic, open, partitions: partitions.get(topic)!, serdes: sinkSerdes(script.topology, topic) }))
    return new ScriptRun(options, producer, feeder, await openPrinter(log, outputs, options))
  }

  /**
   * Resolves when the signal has come (or, with `untilIdle`, all input is processed, committed and printed) and all is closed.
   * @throws the first failure of files, application and outputs, after closing
   */
  async run(stop: AbortSignal, untilIdle: boolean): Promise<void> {
    const failed = new AbortController()
    const over = AbortSignal.any([stop, failed.signal])
    let failure: unknown = null
    const guard = async (work: Promise<unknown>): Promise<void> => {
      await work.catch((error: unknown) => {
        failure ??= error
        failed.abort()
      })
    }
    const feeding = guard(this.#feeder.run(over))
    const printing = guard(this.#printer.run())
    const starting = guard(this.#application.start())
    void guard(this.#application.closed.then(error => (error === null ? undefined : Promise.reject(error))))
    await (untilIdle ? Promise.race([Promise.all([feeding, starting]).then(() => (over.aborted ? undefined : guard(this.#application.untilIdle()))), aborted(over)]) : aborted(over))
    if (over.aborted) await feeding
    await guard(this.#application.close())
    await guard(this.#printer.finish())
    await printing
    await guard(this.#producer.close())
    await guard(this.#log.close())
    if (failure !== null) throw failure
  }

  progress(): RunProgress {
    const { fed, bytes, sizeBytes } = this.#feeder
    return { fed, share: sizeBytes === 0 ? null : bytes / sizeBytes, printed: this.#printer.printed, metrics: this.#application.metrics() }
  }

  get topology(): Topology {
    return this.#options.script.topology
  }
}

/** The serdes that read each fed topic, by topic. */
function checkInputs({ inputs, script: { topology } }: ScriptRunOptions): ReadonlyMap<string, TopicSerdes> {
  const sources = new Map<string, TopicSerdes>()
  for (const node of topology.nodes) if (node.kind === 'source') for (const topic of node.topics) sources.set(topic, node.serdes)
  for (const { topic, store } of topology.globals) sources.set(topic, { key: store.key, value: store.value })
  for (const topic of inputs.keys()) {
    if (sources.has(topic)) continue
    throw new MillraceError('USAGE', `The topology does not read the topic ${topic}.`, { hint: nearest(topic, [...sources.keys()], 'It reads', 'It reads no topics.') })
  }
  return sources
}

function applicationSettings(options: ScriptRunOptions): ConstructorParameters<typeof StreamsApplication>[0] {
  const { inputs: _inputs, outputs: _outputs, ...settings } = options.script.definition
  return {
    createSourceTopics: options.place.bootstrap === undefined,
    stateDirectory: join(options.place.data ?? DEFAULT_DATA, 'state'),
    logger: options.logger,
    ...settings,
    topology: options.script.topology,
    applicationId: options.applicationId,
    defaultPartitions: options.partitions,
    log: options.log,
  }
}

/** Partition counts of the topics that are fed and printed, those made that were not there. */
async function makeTopics(log: LogPort, { inputs, outputs, partitions }: ScriptRunOptions): Promise<ReadonlyMap<string, number>> {
  const names = [...new Set([...inputs.keys(), ...outputs.keys()])]
  const missing = async (): Promise<NewTopic[]> => {
    const found = await log.admin.describeTopics(names)
    return names.filter(name => !found.has(name)).map(name => ({ name, partitions, config: userTopicConfig }))
  }
  const toMake = await missing()
  if (toMake.length > 0) await log.admin.createTopics(toMake)
  const found = await log.admin.describeTopics(names)
  return new Map(names.map(name => [name, found.get(name)?.partitions ?? partitions]))
}

async function openFeed(
  options: ScriptRunOptions,
  producer: LogProducer,
  topic: string,
  source: InputSource,
  serdes: TopicSerdes,
  partitions: number,
): Promise<FileFeed> {
  const fromFile = source.file !== '-'
  const checkpoint = fromFile ? new FeedCheckpointFile(ownDirectory(options, 'inputs'), topic, source.file) : null
  const encode = recordEncoder(source, serdes, systemClock)
  return FileFeed.open({ topic, partitions, source, encode, checkpoint, log: options.log, producer, sizeBytes: fromFile ? await sizeOf(source.file) : 0 })
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (cause) {
    throw new MillraceError('INPUT', `${file} cannot be read: ${(cause as Error).message}.`, { cause })
  }
}

async function openPrinter(log: LogPort, outputs: readonly Output[], options: ScriptRunOptions): Promise<OutputPrinter> {
  return OutputPrinter.open(log, outputs, ownDirectory(options, 'outputs'))
}

/** Of this application, beside its state. */
function ownDirectory({ place, applicationId }: ScriptRunOptions, what: string): string {
  return join(place.data ?? DEFAULT_DATA, what, applicationId)
}

/** Of the sink that writes this topic, or else of one that chooses its topics itself. */
function sinkSerdes({ nodes }: Topology, topic: string): TopicSerdes | null {
  const sinks = nodes.filter(node => node.kind === 'sink')
  const sink = sinks.find(node => node.topic === topic) ?? sinks.find(node => typeof node.topic === 'function')
  return sink?.serdes ?? null
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
