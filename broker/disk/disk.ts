// The port to a file system: all that the log asks of one; file-disk.ts is the machine's, memory-disk.ts lives in memory and can be told to fail.

import { MillraceError } from '../../core/error.ts'
import type { Timestamp } from '../../core/record.ts'

/**
 * Files below one data directory. Paths are relative to it and separated by `/`.
 * Everything is synchronous but what waits for the medium: a write into the page cache costs microseconds, an asynchronous call ten times as much.
 * Failures are MillraceErrors: DISK_FULL (retriable) and DISK_FAILED, with the path in the message.
 */
export interface Disk {
  /** What the directory is called in messages. */
  readonly name: string
  /** Whether `A` and `a` are one name here, as on macOS and Windows. Default: they are two. */
  readonly foldsCase?: boolean
  /** Opens for reading and appending; creates the file if it is not there. The directory must be. */
  open(path: string): DiskFile
  /** The whole content; null if there is no such file. */
  readFile(path: string): Buffer | null
  /** Makes a file, or replaces its content. A crash may leave anything of it. */
  writeFile(path: string, content: Uint8Array): void
  /** The same, but a crash leaves the old or the new; the new for certain after `syncDirectory`. */
  replaceFile(path: string, content: Uint8Array): Promise<void>
  /** Bytes of a file; null if there is none. */
  size(path: string): number | null
  /** When a file was written last; null if there is none, or nobody knows. */
  modifiedAt(path: string): Timestamp | null
  /** Says when a file was written last. */
  setModified(path: string, time: Timestamp): void
  /** Names in a directory, sorted; none if it is not there. */
  list(directory: string): readonly string[]
  /** Creates a directory and those above it. `isPrivate`: what is in it is for nobody else on the machine. */
  makeDirectory(path: string, isPrivate?: boolean): void
  /** Moves a file or directory; a file at `to` is replaced. */
  rename(from: string, to: string): void
  /** The same where there is something at `from`; false where not. */
  renameIfThere(from: string, to: string): boolean
  /** Removes a file, or a directory with all in it. Nothing happens if it is not there. */
  remove(path: string): void
  /** The same off the main thread, one file after the other; a crash may leave some. */
  erase(path: string): Promise<void>
  /** Resolves when names made, moved and removed in the directory are on the medium. */
  syncDirectory(path: string): Promise<void>
  /** Bytes of the medium, and those that are free for us; null where nobody knows. */
  space(): DiskSpace | null
  /** Claims the data directory for this process. @throws MillraceError DATA_DIRECTORY_LOCKED */
  lock(): DiskLock
}

export interface DiskSpace {
  readonly totalBytes: number
  readonly usableBytes: number
}

export interface DiskFile {
  readonly size: number
  /** Appends all parts or, when it throws, nothing. */
  append(parts: readonly Uint8Array[]): void
  /** Fills `target` from `position` on, as far as the file goes; answers how many bytes that were. */
  read(position: number, target: Uint8Array): number
  /** Writes bytes over those from `position` on, which are there. */
  overwrite(position: number, bytes: Uint8Array): void
  truncate(size: number): void
  /** Resolves when what was appended before the call is on the medium. */
  sync(): Promise<void>
  close(): void
}

export interface DiskLock {
  release(): void
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'DISK_FULL'
}
