// `millrace run SCRIPT`: runs a topology script, feeds files to it and prints its results.

import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Topology } from '../../core/topology/topology.ts'
import type { InputSource } from '../../runtime/application-definition.ts'
import { parseFieldOption, parseFormat, parseInputOption } from '../input/input-source.ts'
import { FileTarget, terminalTarget, type OutputTarget } from '../output/output-target.ts'
import { Progress } from '../script/progress.ts'
import { loadScript, type LoadedScript } from '../script/script-loader.ts'
import type { RunProgress, ScriptRun } from '../script/script-run.ts'
import { connect, placeName, terminalLogger, type LogPlace } from '../terminal/log-connection.ts'
import { stopSignal } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { counted } from '../terminal/text-table.ts'
import { wholeNumber } from '../terminal/whole-number.ts'

export interface RunCommandOptions extends LogPlace {
  readonly applicationId?: string
  /** False: `--no-input`. */
  readonly input?: readonly string[] | false
  readonly inputFormat?: string
  readonly key?: readonly string[]
  readonly timestamp?: readonly string[]
  /** False: `--no-output`. */
  readonly output?: readonly string[] | false
  readonly partitions?: string
  readonly untilIdle?: boolean
  readonly verbose?: boolean
}

/** Topics that are made get so many: as many tasks can run at once, in this process or in others of the same application. */
export const DEFAULT_PARTITIONS = 4

export async function run(file: string, options: RunCommandOptions, terminal: Terminal): Promise<void> {
  const stop = stopSignal(terminal, 'committing and closing; Ctrl-C again leaves at once')
  const { scriptRun, applicationId } = await open(file, options, terminal)
  const progress = new Progress({ terminal, clock: systemClock, name: applicationId, read: () => scriptRun.progress() })
  if (options.untilIdle !== true) terminal.say(terminal.dim(`${applicationId} runs on ${placeName(options)}; Ctrl-C stops it`))
  progress.start()
  try {
    await scriptRun.run(stop, options.untilIdle === true)
  } finally {
    terminal.say(terminal.dim(summary(applicationId, progress.stop())))
  }
}

/** The script is bundled, in a process of esbuild's, while this one loads the runtime and opens the log. */
async function open(file: string, options: RunCommandOptions, terminal: Terminal): Promise<{ readonly scriptRun: ScriptRun; readonly applicationId: string }> {
  if (!existsSync(file)) throw new MillraceError('SCRIPT', `There is no script ${file}.`)
  const logger = terminalLogger(terminal, options.verbose === true)
  const loading = loadScript(file)
  const connecting = connect(options, 'millrace-run', logger)
  connecting.catch(() => undefined) // It is awaited below, when the script is there.
  const { ScriptRun: Run } = await import('../script/script-run.ts')
  const script = await loading.catch(async (error: unknown) => {
    await connecting.then(log => log.close(), () => undefined) // The script's failure is the one to tell.
    throw error
  })
  const log = await connecting
  if (log.address !== null) terminal.say(terminal.dim(`the log listens at ${log.address.host}:${log.address.port}`))
  try {
    const applicationId = options.applicationId ?? script.applicationId
    const partitions = options.partitions === undefined ? (script.definition.defaultPartitions ?? DEFAULT_PARTITIONS) : wholeNumber('--partitions', options.partitions, 1)
    const scriptRun = await Run.open({ script, applicationId, place: options, log, inputs: inputsOf(script, options), outputs: outputsOf(script, options, terminal), partitions, logger })
    return { scriptRun, applicationId }
  } catch (error) {
    await log.close()
    throw error
  }
}

/** What the script says, and what the command line says instead. */
export function inputsOf(script: LoadedScript, options: RunCommandOptions): ReadonlyMap<string, InputSource> {
  const inputs = new Map<string, InputSource>()
  if (options.input === false) return inputs
  for (const [topic, source] of Object.entries(script.definition.inputs ?? {})) inputs.set(topic, { ...source, file: resolve(dirname(script.path), source.file) })
  for (const [topic, source] of (options.input ?? []).map(parseInputOption)) {
    inputs.set(topic, { ...withoutOwnFields(options), ...(options.inputFormat === undefined ? {} : { format: parseFormat(options.inputFormat) }), ...source })
  }
  return withFields(inputs, options)
}

/** `--key FIELD` and `--timestamp FIELD` for all inputs of the command line. */
function withoutOwnFields(options: RunCommandOptions): Partial<InputSource> {
  const field = (list: readonly string[] | undefined): string | undefined => list?.map(parseFieldOption).findLast(([topic]) => topic === null)?.[1]
  const key = field(options.key)
  const timestamp = field(options.timestamp)
  return { ...(key === undefined ? {} : { key }), ...(timestamp === undefined ? {} : { timestamp }) }
}

/** `--key TOPIC=FIELD` and `--timestamp TOPIC=FIELD`. */
function withFields(inputs: Map<string, InputSource>, options: RunCommandOptions): ReadonlyMap<string, InputSource> {
  for (const name of ['key', 'timestamp'] as const) {
    for (const [topic, field] of (options[name] ?? []).map(parseFieldOption)) {
      if (topic === null) continue
      const input = inputs.get(topic)
      if (input === undefined) throw new MillraceError('USAGE', `--${name} ${topic}=${field} is for a topic that no file feeds.`, { hint: `Name its file with --input ${topic}=FILE.` })
      inputs.set(topic, { ...input, [name]: field })
    }
  }
  return inputs
}

function outputsOf(script: LoadedScript, options: RunCommandOptions, terminal: Terminal): ReadonlyMap<string, (bytes: number | null) => Promise<OutputTarget>> {
  if (options.output === false) return new Map()
  const toTerminal = (): Promise<OutputTarget> => Promise.resolve(terminalTarget(terminal))
  if (options.output === undefined) return new Map((script.definition.outputs ?? sinkTopics(script.topology)).map(topic => [topic, toTerminal]))
  return new Map(
    options.output.map((text): [string, (bytes: number | null) => Promise<OutputTarget>] => {
      const equals = text.indexOf('=')
      if (equals < 0) return [text, toTerminal]
      const path = text.slice(equals + 1)
      return [text.slice(0, equals), bytes => FileTarget.open(path, bytes)]
    }),
  )
}

function sinkTopics({ nodes }: Topology): string[] {
  return [...new Set(nodes.flatMap(node => (node.kind === 'sink' && typeof node.topic === 'string' ? [node.topic] : [])))]
}

function summary(name: string, { fed, printed, metrics, seconds }: RunProgress & { readonly seconds: number }): string {
  const parts = [`${counted(metrics.processed, 'record')} processed`]
  if (fed > 0) parts.unshift(`${counted(fed, 'record')} fed`)
  if (metrics.dropped > 0) parts.push(`${metrics.dropped} dropped as late or without key`)
  if (metrics.skipped > 0) parts.push(`${metrics.skipped} bad ones skipped`)
  if (printed > 0) parts.push(counted(printed, 'result'))
  return `${name}: ${parts.join(', ')}, ${seconds.toFixed(1)} s`
}
