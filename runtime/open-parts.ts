// Opens the parts of an application in the order they need each other: log, topics, stores, producer, global tables, group, worker.

import type { LogPort } from '../core/log-port.ts'
import type { OpenLog } from '../core/log-location.ts'
import { openTaskState, StateBudget } from '../state/index.ts'
import type { ResolvedSettings } from './application-settings.ts'
import { encodeReport, memberAssignments } from './assignment.ts'
import { GlobalTables } from './global-tables.ts'
import { createInternalTopics, partitionCounts, type PartitionCounts } from './internal-topics.ts'
import { LogCollector } from './log-collector.ts'
import type { RestoreProgress } from './restore.ts'
import { StateDirectory } from './state-directory.ts'
import { TaskKeeper } from './task-keeper.ts'
import { createUserTopics, offsetReset, subscribedTopics } from './user-topics.ts'
import { Worker } from './worker.ts'

/** Name of the way tasks are assigned, in the group. */
const PROTOCOL = 'millrace'

export interface OpenParts {
  readonly worker: Worker
  readonly keeper: TaskKeeper
  readonly globals: GlobalTables
  readonly collector: LogCollector
  readonly budget: StateBudget
  /** Resolves when tasks run for the first time. */
  readonly firstAssignment: Promise<void>
  /** Changelog records read to bring stores up to date. */
  restored(): number
  /** Closes what was opened, last first. The worker must have ended. */
  close(): Promise<void>
}

/** What is open so far, and how it is closed if the next part fails. */
interface Opening {
  readonly settings: ResolvedSettings
  readonly log: LogPort
  readonly counts: PartitionCounts
  readonly directory: StateDirectory
  readonly budget: StateBudget
  readonly onRestore: (progress: RestoreProgress) => void
  readonly closers: (() => Promise<void>)[]
}

/** @throws MillraceError what prevents it; nothing stays open then */
export async function openParts(settings: ResolvedSettings, onState: (state: 'REBALANCING' | 'RUNNING') => void): Promise<OpenParts> {
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const log = await openLog(settings, closers)
    let restored = 0
    const opening: Opening = {
      settings,
      log,
      counts: await prepareTopics(settings, log),
      directory: new StateDirectory(settings.stateDirectory, settings.applicationId),
      budget: new StateBudget(settings.memoryBytes),
      onRestore: progress => (restored += progress.restored),
      closers,
    }
    const collector = await openCollector(opening)
    const globals = await openGlobals(opening)
    const { counts, directory, budget, onRestore } = opening
    const keeper = new TaskKeeper({ ...settings, counts, log, collector, directory, budget, globals: globals.stores, onRestore })
    return { ...openWorker(opening, { collector, globals, keeper }, onState), keeper, globals, collector, budget, restored: () => restored, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openLog(settings: ResolvedSettings, closers: Opening['closers']): Promise<LogPort> {
  if (settings.log !== null) return settings.log
  const { openLog: open }: { openLog: OpenLog } = await import('#log')
  const { clientId, clock, random, logger } = settings
  const location = settings.dataDirectory === null ? { bootstrapServers: settings.bootstrapServers!, clientProperties: settings.clientProperties } : { dataDirectory: settings.dataDirectory, listen: settings.listen ?? undefined }
  const log = await open(location, { clientId, clock, random, logger })
  closers.push(() => log.close())
  return log
}

async function prepareTopics(settings: ResolvedSettings, log: LogPort): Promise<PartitionCounts> {
  const counts = partitionCounts(settings.topology, await createUserTopics(settings.topology, log.admin, settings))
  await createInternalTopics(settings.topology, counts, log.admin, settings)
  return counts
}

async function openCollector({ settings, log, closers }: Opening): Promise<LogCollector> {
  const collector = new LogCollector(await log.producer({ clientId: `${settings.clientId}-producer` }))
  closers.push(() => collector.close())
  await collector.learn(settings.topology.nodes.flatMap(node => (node.kind === 'sink' && typeof node.topic === 'string' ? [node.topic] : [])))
  return collector
}

async function openGlobals({ settings, log, directory, budget, onRestore, closers }: Opening): Promise<GlobalTables> {
  const stores = settings.topology.globals.map(table => table.store)
  const globals = await GlobalTables.open({
    topology: settings.topology,
    log,
    state: await openTaskState({ directory: stores.length === 0 ? null : directory.globalPath(), stores, budget }),
    onDeserializationError: settings.onDeserializationError,
    onProgress: onRestore,
    signal: new AbortController().signal,
  })
  closers.push(() => globals.close())
  return globals
}

function openWorker(
  { settings, log, counts, directory }: Opening,
  parts: Pick<OpenParts, 'collector' | 'globals' | 'keeper'>,
  onState: (state: 'REBALANCING' | 'RUNNING') => void,
): Pick<OpenParts, 'worker' | 'firstAssignment'> {
  const { topology, applicationId, clientId, clock, random } = settings
  const processId = directory.processId(random)
  const consumer = log.groupConsumer({
    clientId: `${clientId}-consumer`,
    groupId: applicationId,
    instanceId: processId,
    protocol: PROTOCOL,
    topics: subscribedTopics(topology, applicationId),
    userData: () => encodeReport({ processId, tasks: parts.keeper.held() }),
    assign: members => Promise.resolve(memberAssignments(topology, counts, applicationId, members)),
    offsetReset: offsetReset(topology),
  })
  let assigned!: () => void
  const firstAssignment = new Promise<void>(resolve => (assigned = resolve))
  const worker = new Worker({
    ...parts,
    applicationId,
    topology,
    log,
    consumer,
    commitIntervalMs: settings.commitIntervalMs,
    clock,
    onState(state) {
      onState(state)
      if (state === 'RUNNING') assigned()
    },
  })
  return { worker, firstAssignment }
}
