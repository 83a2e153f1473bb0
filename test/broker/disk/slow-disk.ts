// A disk in memory on which some files are durable only when a gate opens.

import type { MemoryDisk } from '../../../broker/disk/memory-disk.ts'

/** `gate` is looked at when a sync begins. */
export function slowDisk(disk: MemoryDisk, isSlow: (path: string) => boolean, gate: { readonly isOpen: Promise<void> }): MemoryDisk {
  const open = disk.open.bind(disk)
  disk.open = path => {
    const file = open(path)
    const sync = file.sync.bind(file)
    if (isSlow(path)) file.sync = () => gate.isOpen.then(sync)
    return file
  }
  return disk
}
