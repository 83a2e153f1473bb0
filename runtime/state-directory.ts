// Where an application keeps its state: one directory for each task, one for the global tables, and the process's own id.

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuid, type Random } from '../core/random.ts'
import { taskName, type TaskId } from './assignment.ts'

const PROCESS_FILE = 'millrace-process.json'

/** `<state directory>/<application id>/<task>`. */
export class StateDirectory {
  readonly path: string

  constructor(stateDirectory: string, applicationId: string) {
    this.path = join(stateDirectory, applicationId)
    mkdirSync(this.path, { recursive: true })
  }

  taskPath(task: TaskId): string {
    return join(this.path, taskName(task))
  }

  globalPath(): string {
    return join(this.path, 'global')
  }

  /** Names of the tasks whose state lies here. */
  tasksHere(): string[] {
    return readdirSync(this.path, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && /^\d+_\d+$/.test(entry.name))
      .map(entry => entry.name)
  }

  /** The same for every start on this directory, so that tasks come back to the state they left. */
  processId(random: Random): string {
    const file = join(this.path, PROCESS_FILE)
    try {
      const { processId } = JSON.parse(readFileSync(file, 'utf8')) as { processId?: unknown }
      if (typeof processId === 'string') return processId
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error
    }
    const processId = uuid(random)
    writeFileSync(`${file}.new`, JSON.stringify({ processId }))
    renameSync(`${file}.new`, file)
    return processId
  }
}
