// Scans a LevelDB without leaving the thread: a worker thread reads ahead, this one sleeps until the next chunk is there.

import { Worker } from 'node:worker_threads'
import { MillraceError, assert } from '../core/error.ts'
import type { ByteEntry } from './byte-map.ts'

export interface SyncScanRequest {
  /** Directory of a database that this process has open with `multithreading`. */
  readonly location: string
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly reverse: boolean
}

/** A first chunk is small and nothing is read ahead of it, for most scans are short; the others are longer. */
const FIRST_ROWS = 32
const FIRST_CHUNK_BYTES = 8 * 1024
const CHUNK_BYTES = 64 * 1024
/** Longest wait for one chunk. */
const CHUNK_TIMEOUT_MS = 60_000
const MOST_SPARE_CHUNKS = 8

// A chunk begins with these int32 words, then come the rows: key length, value length (uint32 each), key, value.
const STATE = 0
const ROWS = 1
const HEADER_BYTES = 16
// States of a chunk.
const PENDING = 0
const MORE = 1
const LAST = 2
const FAILED = 3
/** The next row does not fit; ROWS says the bytes it needs. */
const TOO_SMALL = 4

/** One for each thread that scans; its worker starts with the first scan and does not keep the process alive. */
export class SyncScanner {
  readonly #levelPath: string
  #worker: Worker | null = null
  #nextScan = 0
  #spare: SharedArrayBuffer[] = []

  /** `levelPath` is the file of the package level. */
  constructor(levelPath: string) {
    this.#levelPath = levelPath
  }

  *scan(request: SyncScanRequest): Generator<ByteEntry, void, undefined> {
    const id = this.#nextScan++
    const worker = this.#start()
    let chunk = new SharedArrayBuffer(FIRST_CHUNK_BYTES)
    worker.postMessage({ kind: 'open', id, chunk, ...request })
    let state = MORE
    try {
      for (;;) {
        state = this.#await(chunk, request.location)
        if (state === TOO_SMALL) {
          chunk = new SharedArrayBuffer(HEADER_BYTES + wordsOf(chunk)[ROWS]!)
          worker.postMessage({ kind: 'next', id, chunk })
          continue
        }
        const rows = this.#rows(chunk)
        const isFirst = chunk.byteLength === FIRST_CHUNK_BYTES
        if (state === MORE && !isFirst) chunk = this.#request(worker, id)
        yield* rows
        if (state === LAST) return
        if (isFirst) chunk = this.#request(worker, id)
      }
    } finally {
      if (state !== LAST && state !== FAILED) worker.postMessage({ kind: 'end', id })
    }
  }

  /** Lets go of a database, so that closing it here closes it for good. */
  release(location: string): void {
    if (this.#worker === null) return
    const chunk = new SharedArrayBuffer(HEADER_BYTES)
    this.#worker.postMessage({ kind: 'release', location, chunk })
    this.#await(chunk, location)
  }

  #request(worker: Worker, id: number): SharedArrayBuffer {
    const chunk = this.#spare.pop() ?? new SharedArrayBuffer(CHUNK_BYTES)
    worker.postMessage({ kind: 'next', id, chunk })
    return chunk
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker
    this.#worker = new Worker(WORKER_CODE, { eval: true, execArgv: [], workerData: { levelPath: this.#levelPath } })
    this.#worker.unref()
    return this.#worker
  }

  #await(chunk: SharedArrayBuffer, location: string): number {
    const words = wordsOf(chunk)
    let state = PENDING
    // The notice of a chunk's last use may come late and wake its next: only the state says that it is ready.
    while (state === PENDING) {
      if (Atomics.wait(words, STATE, PENDING, CHUNK_TIMEOUT_MS) === 'timed-out') {
        throw new MillraceError('STATE_SCAN', `Reading a range of the store in ${location} gave nothing for ${CHUNK_TIMEOUT_MS} ms.`, { retriable: true })
      }
      state = Atomics.load(words, STATE)
    }
    if (state !== FAILED) return state
    const text = Buffer.from(new Uint8Array(chunk, HEADER_BYTES, words[ROWS])).toString()
    throw new MillraceError('STATE_SCAN', `A range of the store in ${location} cannot be read: ${text}.`)
  }

  #rows(chunk: SharedArrayBuffer): ByteEntry[] {
    const count = wordsOf(chunk)[ROWS]!
    const bytes = Buffer.from(new Uint8Array(chunk, HEADER_BYTES))
    if (chunk.byteLength === CHUNK_BYTES && this.#spare.length < MOST_SPARE_CHUNKS) {
      wordsOf(chunk)[STATE] = PENDING
      this.#spare.push(chunk)
    }
    const rows: ByteEntry[] = []
    for (let at = 0; rows.length < count; ) {
      const keyEnd = at + 8 + bytes.readUInt32LE(at)
      const valueEnd = keyEnd + bytes.readUInt32LE(at + 4)
      assert(valueEnd <= bytes.length, 'a row ends within its chunk')
      rows.push({ key: bytes.subarray(at + 8, keyEnd), value: bytes.subarray(keyEnd, valueEnd) })
      at = valueEnd
    }
    return rows
  }
}

function wordsOf(chunk: SharedArrayBuffer): Int32Array {
  return new Int32Array(chunk, 0, HEADER_BYTES / 4)
}

/** Runs in the worker, as plain script text: Node 20 cannot start a worker from TypeScript, and a bundler would lose a file. */
const WORKER_CODE = `
'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const { Level } = require(workerData.levelPath)
const databases = new Map()
const scans = new Map()

parentPort.on('message', message => {
  const work = message.kind === 'open' ? open(message) : message.kind === 'next' ? next(message) : message.kind === 'end' ? end(message.id) : release(message)
  work.catch(error => message.chunk && fail(message.chunk, error))
})

function database(location) {
  let opening = databases.get(location)
  if (opening === undefined) {
    const level = new Level(location, { keyEncoding: 'buffer', valueEncoding: 'buffer', createIfMissing: false, multithreading: true })
    opening = level.open({ multithreading: true }).then(() => level)
    databases.set(location, opening)
    opening.catch(() => databases.delete(location))
  }
  return opening
}

async function open(message) {
  const db = await database(message.location)
  const iterator = db.iterator({ gte: Buffer.from(message.from), lt: Buffer.from(message.to), reverse: message.reverse, highWaterMarkBytes: ${CHUNK_BYTES} })
  const scan = { iterator, rows: [], at: 0, location: message.location, rowBytes: 0 }
  scans.set(message.id, scan)
  await fill(message.id, scan, message.chunk)
}

async function next(message) {
  const scan = scans.get(message.id)
  if (scan !== undefined) await fill(message.id, scan, message.chunk)
}

// One read for each chunk: as many rows as should fit; those that do not wait for the next.
async function fill(id, scan, chunk) {
  const bytes = new Uint8Array(chunk)
  const view = new DataView(chunk)
  if (scan.at === scan.rows.length) {
    scan.rows = await scan.iterator.nextv(scan.rowBytes === 0 ? ${FIRST_ROWS} : Math.max(${FIRST_ROWS}, Math.floor((bytes.length - ${HEADER_BYTES}) / scan.rowBytes)))
    scan.at = 0
  }
  let at = ${HEADER_BYTES}
  let count = 0
  for (; scan.at < scan.rows.length; scan.at++, count++) {
    const [key, value] = scan.rows[scan.at]
    const needed = 8 + key.length + value.length
    if (at + needed > bytes.length) {
      if (count === 0) return finish(chunk, ${TOO_SMALL}, needed)
      break
    }
    view.setUint32(at, key.length, true)
    view.setUint32(at + 4, value.length, true)
    bytes.set(key, at + 8)
    bytes.set(value, at + 8 + key.length)
    at += needed
  }
  if (count > 0) scan.rowBytes = (at - ${HEADER_BYTES}) / count
  else await end(id)
  finish(chunk, count > 0 ? ${MORE} : ${LAST}, count)
}

async function end(id) {
  const scan = scans.get(id)
  scans.delete(id)
  if (scan !== undefined) await scan.iterator.close()
}

async function release(message) {
  for (const [id, scan] of scans) if (scan.location === message.location) await end(id)
  const opening = databases.get(message.location)
  databases.delete(message.location)
  if (opening !== undefined) await (await opening).close()
  finish(message.chunk, ${LAST}, 0)
}

function fail(chunk, error) {
  const text = Buffer.from(String(error && error.cause || error)).subarray(0, chunk.byteLength - ${HEADER_BYTES})
  new Uint8Array(chunk).set(text, ${HEADER_BYTES})
  finish(chunk, ${FAILED}, text.length)
}

function finish(chunk, state, count) {
  const words = new Int32Array(chunk, 0, ${HEADER_BYTES / 4})
  words[${ROWS}] = count
  Atomics.store(words, ${STATE}, state)
  Atomics.notify(words, ${STATE})
}
`
