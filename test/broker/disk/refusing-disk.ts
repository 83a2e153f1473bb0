// A disk on which some operations fail, as a test says, and all others are those of another disk.

import { MillraceError } from '../../../core/error.ts'
import type { Disk, DiskFile } from '../../../broker/disk/disk.ts'

export interface DiskOperation {
  /** As the methods of Disk and DiskFile are called. */
  readonly name: string
  readonly path: string
}

/** `refuses` is asked before each operation. `code`: of the error then. */
export function refusingDisk(disk: Disk, refuses: (operation: DiskOperation) => boolean, code = 'DISK_FAILED'): Disk {
  return refusing(disk, '', refuses, code)
}

function refusing<T extends Disk | DiskFile>(target: T, filePath: string, refuses: (operation: DiskOperation) => boolean, code: string): T {
  return new Proxy<T>(target, {
    get: (_, name) => {
      const value = Reflect.get(target, name, target) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const path = typeof args[0] === 'string' ? args[0] : filePath
        if (refuses({ name: String(name), path })) return refuse(String(name), path, code)
        const answer = (value as (...args: unknown[]) => unknown).apply(target, args)
        return name === 'open' ? refusing(answer as DiskFile, path, refuses, code) : answer
      }
    },
  })
}

const asynchronous: ReadonlySet<string> = new Set(['replaceFile', 'syncDirectory', 'sync', 'erase'])

function refuse(name: string, path: string, code: string): Promise<never> {
  const error = new MillraceError(code, `The disk refuses to ${name} ${path}.`)
  if (asynchronous.has(name)) return Promise.reject(error)
  throw error
}
