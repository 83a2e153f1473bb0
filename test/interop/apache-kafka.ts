// Fetches Apache Kafka through Maven, starts one broker of it on free ports of this machine, and stops it.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '../../core/error.ts'

export interface ApacheKafka extends AsyncDisposable {
  /** `host:port`, as `--bootstrap` takes it. */
  readonly bootstrap: string
  readonly host: string
  readonly port: number
  readonly pid: number
  /** What it has logged so far. */
  log(): string
}

export interface ApacheKafkaOptions {
  /** Further lines of server.properties. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Resolves when the broker answers. @throws MillraceError if Java or Maven are missing, or the broker does not start */
export async function startApacheKafka(options: ApacheKafkaOptions = {}): Promise<ApacheKafka> {
  const libraries = fetchApacheKafka()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-apache-kafka-'))
  const [port, controllerPort] = await freePorts()
  const properties = join(directory, 'server.properties')
  writeFileSync(properties, serverProperties(join(directory, 'log'), port, controllerPort, options.settings ?? {}))
  run('java', ['-Xmx256m', ...quietly, '-cp', join(libraries, '*'), 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties])
  const child = spawn('java', ['-Xms256m', '-Xmx512m', '-XX:TieredStopAtLevel=1', ...quietly, '-cp', join(libraries, '*'), 'kafka.Kafka', properties], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  await started(child, output)
  return {
    bootstrap: `127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    pid: child.pid!,
    log: () => output.text,
    async [Symbol.asyncDispose]() {
      await stop(child)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Why Apache Kafka cannot be started on this machine; null if it can. Fetches it. @throws MillraceError if fetching fails */
export function whyNoApacheKafka(): string | null {
  try {
    fetchApacheKafka()
    return null
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'COMMAND_MISSING') return `${error.message} ${error.hint ?? ''}`
    throw error
  }
}

/** The folder of Apache Kafka's jars, fetched at the first call; in MILLRACE_CACHE or ~/.cache/millrace. @throws MillraceError */
export function fetchApacheKafka(): string {
  requireCommand('java', ['-version'], 'Install a JDK, 17 or newer (Debian: openjdk-17-jdk-headless).')
  return fetchJars('pom.xml', 'dependency:copy-dependencies', '-DincludeScope=runtime')
}

/** The folder of the jars that one of java's Maven files names, for each state of the file. `goal` copies them. Blocks. @throws MillraceError */
export function fetchJars(pom: string, ...goal: readonly string[]): string {
  const file = here(`java/${pom}`)
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)
  const folder = join(javaCache(), `java-jars-${hash}`)
  if (existsSync(folder)) return folder
  requireCommand('mvn', ['-version'], 'Install Maven (Debian: maven); it fetches Apache Kafka from Maven Central.')
  // Beside it first, so that an interrupted fetch is never taken for a whole one.
  const fresh = `${folder}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  run('mvn', ['-q', '-B', '-f', file, ...goal, `-DoutputDirectory=${fresh}`])
  if (existsSync(folder)) rmSync(fresh, { recursive: true })
  else renameSync(fresh, folder)
  return folder
}

/** Runs one of Kafka's Java classes, or a Java source file, on Apache Kafka's jars; the answer is what it prints. Blocks. @throws MillraceError */
export function runJava(main: string, args: readonly string[], input = ''): string {
  return run('java', [...javaArguments(main), ...args], input)
}

/** What the command java takes to run one of Kafka's classes, or a Java source file, on Apache Kafka's jars and further folders of classes. @throws MillraceError */
export function javaArguments(main: string, classes: readonly string[] = []): readonly string[] {
  return javaArgumentsWith([...classes, join(fetchApacheKafka(), '*')], main)
}

/** The same on a class path of the caller's. */
export function javaArgumentsWith(classPath: readonly string[], main: string): readonly string[] {
  return ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...quietly, '-cp', classPath.join(delimiter), main]
}

/** Where Java's jars and compiled classes are kept between runs: MILLRACE_CACHE or ~/.cache/millrace. */
export function javaCache(): string {
  return process.env['MILLRACE_CACHE'] ?? join(homedir(), '.cache', 'millrace')
}

const CLUSTER_ID = 'bWlsbHJhY2UtaW50ZXJvcA'
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 20_000
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024
const quietly = [`-Dlog4j2.configurationFile=${here('java/log4j2.xml')}`, '-Djava.awt.headless=true']

function serverProperties(logDirectory: string, port: number, controllerPort: number, settings: Readonly<Record<string, string>>): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'listeners': `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDirectory,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // Real data has event times long past; retention by time would delete it.
    'log.retention.ms': '-1',
    ...settings,
  }
  return Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join('')
}

function freePorts(): Promise<[number, number]> {
  return Promise.all([freePort(), freePort()])
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function collect(child: ChildProcess): { text: string } {
  const output = { text: '' }
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => (output.text += text))
  return output
}

function started(child: ChildProcess, output: { readonly text: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      child.kill('SIGKILL')
      settle(() => reject(new MillraceError('APACHE_KAFKA_FAILED', `Apache Kafka ${what}: ${output.text.slice(-4000)}`)))
    }
    const onData = (): void => {
      if (output.text.includes('Kafka Server started')) settle(resolve)
    }
    const onExit = (status: number | null): void => fail(`ended with status ${status} while starting`)
    const timeout = AbortSignal.timeout(START_TIMEOUT_MS)
    const onTimeout = (): void => fail(`did not start within ${START_TIMEOUT_MS} ms`)
    const settle = (action: () => void): void => {
      child.off('exit', onExit)
      child.stdout!.off('data', onData)
      timeout.removeEventListener('abort', onTimeout)
      action()
    }
    child.on('exit', onExit)
    child.stdout!.on('data', onData)
    timeout.addEventListener('abort', onTimeout)
  })
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    const timeout = AbortSignal.timeout(STOP_TIMEOUT_MS)
    const kill = (): void => void child.kill('SIGKILL')
    timeout.addEventListener('abort', kill)
    child.once('exit', () => {
      timeout.removeEventListener('abort', kill)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

function requireCommand(command: string, args: readonly string[], hint: string): void {
  const { error } = spawnSync(command, args, { stdio: 'ignore' })
  if (error) throw new MillraceError('COMMAND_MISSING', `The command ${command} cannot be run: ${error.message}.`, { hint })
}

function run(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', input, maxBuffer: MAX_OUTPUT_BYTES })
  if (error || status !== 0) throw new MillraceError('COMMAND_FAILED', `${command} ${args.at(-1) ?? ''} failed${error ? ` (${error.message})` : ''}: ${`${stdout}${stderr}`.slice(-4000)}`)
  return stdout
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
