// A disk whose power goes at the n-th operation that changes anything: that one and all later ones fail, reads too.

import { MillraceError } from '../../../core/error.ts'
import type { Disk, DiskFile } from '../../../broker/disk/disk.ts'
import type { MemoryDisk } from '../../../broker/disk/memory-disk.ts'

const changes: ReadonlySet<string> = new Set(['open', 'writeFile', 'replaceFile', 'makeDirectory', 'rename', 'renameIfThere', 'setModified', 'remove', 'erase', 'syncDirectory', 'append', 'truncate', 'sync'])

export class Power {
  /** Operations so far. */
  operations = 0
  /** What they were, for messages. */
  last = 'none'
  readonly disk: Disk
  #goesAt: number

  constructor(disk: MemoryDisk, goesAt: number = Number.POSITIVE_INFINITY) {
    this.#goesAt = goesAt
    this.disk = this.#watched<Disk>(disk)
  }

  /** It goes after so many operations more. */
  goIn(operations: number): void {
    this.#goesAt = this.operations + operations
  }

  get isOff(): boolean {
    return this.operations > this.#goesAt
  }

  #watched<T extends Disk | DiskFile>(target: T): T {
    return new Proxy<T>(target, {
      get: (_, name) => {
        const value = Reflect.get(target, name, target) as unknown
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (changes.has(String(name)) && !this.isOff && this.operations++ < this.#goesAt) this.last = `${String(name)} ${typeof args[0] === 'string' ? args[0] : ''}`
          // A lock is let go and files are closed whatever happens.
          if (this.isOff && name !== 'lock' && name !== 'close') throw new MillraceError('DISK_FAILED', 'The power is off.')
          const answer = (value as (...args: unknown[]) => unknown).apply(target, args)
          return name === 'open' ? this.#watched(answer as DiskFile) : answer
        }
      },
    })
  }
}
