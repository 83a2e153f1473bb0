// A log on a disk whose power goes at any time and whose syncs fail: what was synced is there, and what was not is no damage, however many crashes follow each other.

import { expect, test } from 'vitest'
import { MillraceError } from '../../../core/error.ts'
import { seededRandom, type Random } from '../../../core/random.ts'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import type { Log } from '../../../broker/log/log.ts'
import { openLog } from '../../../broker/log/recovery.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { StormDisk } from '../disk/storm-disk.ts'
import { batchOf, recordsOf } from './batches.ts'

const seeds = process.env['MILLRACE_NIGHTLY'] === undefined ? 400 : 20_000
const firstSeed = Number(process.env['MILLRACE_SEED'] ?? 1)
const lives = 20
const steps = 25

class LogStorm {
  readonly #random: Random
  disk: StormDisk
  #log!: Log
  /** The value of each offset that was synced. */
  readonly #synced: string[] = []
  /** Those that were written since. */
  #written: string[] = []
  #values = 0

  constructor(random: Random) {
    this.#random = random
    this.disk = new StormDisk(random, 'journal')
  }

  #below(limit: number): number {
    return this.#random.uint32() % limit
  }

  async live(): Promise<void> {
    this.#open()
    this.disk.goesAt = this.disk.operations + this.#below([8, 60][this.#below(2)]!)
    this.disk.failingSyncs = [0, 0, 30][this.#below(3)]!
    for (let step = 0; step < steps && !this.disk.isOff; step++) await this.#act().catch(this.#onlyDisk)
    if (!this.disk.isOff && this.#below(3) === 0) this.disk = this.disk.kill()
    else this.disk = this.disk.crash((['nothing', 'all', 'mixed', 'mixed', 'mixed', 'mixed'] as const)[this.#below(6)]!)
    this.#log.close()
  }

  readonly #onlyDisk = (error: unknown): void => {
    if (!(error instanceof MillraceError) || error.code !== 'DISK_FAILED') throw error
  }

  #open(): void {
    const home = { disk: this.disk, pool: new FilePool(this.disk, 4), buffers: new LentBuffers(0), directory: 'topic-0', onDamage: (damage: unknown) => expect.fail(`damage: ${JSON.stringify(damage)}`) }
    const settings = { segmentBytes: [12_000, 60_000][this.#below(2)]!, segmentMs: 1e9, indexIntervalBytes: 1000, segmentIndexBytes: 4096 }
    this.#log = openLog(home, settings, { restore: () => {}, batch: () => {} }).log
    const found = this.#readAll()
    expect(found.slice(0, this.#synced.length)).toEqual(this.#synced)
    this.#written = found
  }

  #readAll(): string[] {
    const values: string[] = []
    for (let offset = 0; offset < this.#log.endOffset; ) {
      const read = this.#log.read(offset, { maxBytes: 3000, limit: this.#log.endOffset, atLeastOne: true })!
      values.push(...recordsOf(read.records, offset).map(({ value }) => value!.slice(0, 12)))
      offset = read.nextOffset
    }
    expect(values).toHaveLength(this.#log.endOffset)
    return values
  }

  async #act(): Promise<void> {
    const kind = this.#below(10)
    if (kind < 6) {
      const value = `value ${this.#values++}`.padEnd(12) + 'x'.repeat([10, 700, 2500, 5000][this.#below(4)]!)
      this.#log.append(batchOf([{ key: null, value, timestamp: 0 }]), 0)
      this.#written.push(value.slice(0, 12))
    } else if (kind < 9) await this.#sync()
    else await this.#checkpoint()
  }

  async #checkpoint(): Promise<void> {
    const point = this.#log.recoveryPoint()
    if (await this.#sync()) await this.#through(this.#log.saveCheckpoint(point, null))
  }

  /** What cannot be synced is taken back. */
  async #sync(): Promise<boolean> {
    try {
      await this.#through(this.#log.sync())
      this.#synced.push(...this.#written.slice(this.#synced.length, this.#log.durableOffset))
      return true
    } catch (error) {
      this.#onlyDisk(error)
      if (this.disk.isOff) return false
      this.#log.takeBack(this.#log.durableOffset)
      this.#written.length = this.#log.endOffset
      return false
    }
  }

  /** Lets the disk work. A power cut ends it. */
  async #through(promise: Promise<void>): Promise<void> {
    const outcome = { isSettled: false }
    const settled = (): void => void (outcome.isSettled = true)
    promise.then(settled, settled)
    for (; !outcome.isSettled; await new Promise(resolve => setImmediate(resolve))) {
      if (this.disk.isOff) throw new MillraceError('DISK_FAILED', 'The power went.')
      this.disk.endSyncs()
    }
    await promise
  }
}

test('what was synced is there after any storm, and nothing is damaged', { timeout: 3_600_000 }, async () => {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const storm = new LogStorm(seededRandom(seed))
    try {
      for (let life = 0; life < lives; life++) await storm.live()
    } catch (error) {
      throw new Error(`MILLRACE_SEED=${seed}`, { cause: error })
    }
  }
})
