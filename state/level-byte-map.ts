// The ordered byte map on disk: the one file that knows LevelDB.

import { createRequire } from 'node:module'
import { Level } from 'level'
import { MillraceError } from '../core/error.ts'
import { prefixEnd, type ByteBatch, type ByteEntry, type ByteMap, type ByteRange } from './byte-map.ts'
import { SyncScanner } from './sync-scanner.ts'

export interface LevelOptions {
  /** Memory for blocks read, bytes. Default 8 MiB. */
  readonly cacheBytes?: number
  /** Memory for what was written last, bytes; up to twice that is held. Default 4 MiB. */
  readonly writeBufferBytes?: number
  /** Size of its files, bytes. Default 2 MiB. */
  readonly fileBytes?: number
  /** How much of its files may be open, bytes; more than 64 files always are. LevelDB maps open files into memory, so this shows in the process's size. Default 256 MiB. */
  readonly openFilesBytes?: number
}

const MIB = 1024 * 1024
/** LevelDB takes these of its open files for itself. */
const FILES_FOR_ITSELF = 10

const SCAN_ROWS = 1000

/** LevelDB lets the threads of a process share a database (a scan needs it), so that a second opening within it must be refused here. */
const openHere = new Set<string>()
const scanner = new SyncScanner(createRequire(import.meta.url).resolve('level'))

/** @throws MillraceError STATE_LOCKED, STATE_CORRUPT, STATE_OPEN */
export async function openLevelByteMap(directory: string, options: LevelOptions = {}): Promise<ByteMap> {
  if (openHere.has(directory)) throw locked(directory, 'this process')
  openHere.add(directory)
  const fileBytes = options.fileBytes ?? 2 * MIB
  const level = new Level<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    multithreading: true,
    compression: false, // a read of a cached block takes half the time without
    cacheSize: options.cacheBytes ?? 8 * MIB,
    writeBufferSize: options.writeBufferBytes ?? 4 * MIB,
    maxFileSize: fileBytes,
    maxOpenFiles: FILES_FOR_ITSELF + Math.ceil((options.openFilesBytes ?? 256 * MIB) / fileBytes),
  })
  try {
    await level.open()
  } catch (error) {
    openHere.delete(directory)
    throw openingError(directory, error)
  }
  return new LevelByteMap(directory, level)
}

class LevelByteMap implements ByteMap {
  readonly #directory: string
  readonly #level: Level<Buffer, Buffer>

  constructor(directory: string, level: Level<Buffer, Buffer>) {
    this.#directory = directory
    this.#level = level
  }

  get(key: Uint8Array): Buffer | null {
    return this.#level.getSync(key as Buffer) ?? null
  }

  batch(): ByteBatch {
    return new LevelBatch(this.#directory, this.#level)
  }

  async *scan(range: ByteRange): AsyncIterable<ByteEntry> {
    const iterator = this.#level.iterator(levelRange(range))
    try {
      for (let rows = await iterator.nextv(SCAN_ROWS); rows.length > 0; rows = await iterator.nextv(SCAN_ROWS)) {
        for (const [key, value] of rows) yield { key, value }
      }
    } finally {
      await iterator.close()
    }
  }

  scanSync(range: ByteRange): Iterable<ByteEntry> {
    return scanner.scan({ location: this.#directory, from: range.from, to: range.to, reverse: range.order === 'descending' })
  }

  async clear(range: ByteRange, limit: number = -1): Promise<void> {
    await this.#level.clear({ ...levelRange(range), limit: limit === Infinity ? -1 : limit })
  }

  async approximateBytes(): Promise<number> {
    return (this.#level as unknown as { approximateSize(from: Buffer, to: Buffer): Promise<number> }).approximateSize(Buffer.of(0), prefixEnd(Buffer.alloc(64, 254)))
  }

  async close(): Promise<void> {
    scanner.release(this.#directory)
    await this.#level.close()
    openHere.delete(this.#directory)
  }
}

class LevelBatch implements ByteBatch {
  readonly #directory: string
  readonly #batch: ReturnType<Level<Buffer, Buffer>['batch']>

  constructor(directory: string, level: Level<Buffer, Buffer>) {
    this.#directory = directory
    this.#batch = level.batch()
  }

  get length(): number {
    return this.#batch.length
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#batch.put(key as Buffer, value as Buffer)
  }

  delete(key: Uint8Array): void {
    this.#batch.del(key as Buffer)
  }

  async write(): Promise<void> {
    try {
      await this.#batch.write()
    } catch (cause) {
      throw new MillraceError('STATE_WRITE', `State cannot be written to ${this.#directory}: ${messageOf(cause)}.`, { cause, hint: 'Is the disk full?' })
    }
  }
}

function levelRange(range: ByteRange): { gte: Buffer; lt: Buffer; reverse: boolean } {
  return { gte: range.from as Buffer, lt: range.to as Buffer, reverse: range.order === 'descending' }
}

function openingError(directory: string, error: unknown): MillraceError {
  const cause = (error as { cause?: { code?: string } }).cause ?? error
  const { code } = cause as { code?: string }
  if (code === 'LEVEL_LOCKED') return locked(directory, 'another process', cause)
  if (code === 'LEVEL_CORRUPTION') {
    return new MillraceError('STATE_CORRUPT', `The state in ${directory} is damaged: ${messageOf(cause)}.`, { cause, hint: 'Delete that directory: it is rebuilt from the changelog.' })
  }
  return new MillraceError('STATE_OPEN', `The state in ${directory} cannot be opened: ${messageOf(cause)}.`, { cause })
}

function locked(directory: string, by: string, cause?: unknown): MillraceError {
  return new MillraceError('STATE_LOCKED', `The state in ${directory} is in use by ${by}.`, { cause, hint: 'Stop it, or give this application another state directory.', retriable: true })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
