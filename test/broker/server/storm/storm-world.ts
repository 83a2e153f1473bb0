// A broker in a storm: its disk and its clock, the ways it ends and begins anew, and what everybody knows of it.

import { VirtualClock } from '../../../../core/clock.ts'
import { seededRandom, type Random } from '../../../../core/random.ts'
import { startBroker, type Broker } from '../../../../broker/server/start-broker.ts'
import type { RequestInput, ResponseOf, ApiName } from '../../../../broker/wire/apis.ts'
import type { Channel } from '../../../../broker/wire/channel.ts'
import { StormDisk, type CrashMode, type NameOrder } from '../../disk/storm-disk.ts'
import { Ledger } from './ledger.ts'

/** Whoever does something in the storm; a new life of the broker is told to each. */
export interface Actor {
  /** Does something, at once; answers come when they come. */
  act(): void
  /** The broker is another one. */
  reborn(): void
  /** Ends what keeps others from seeing what is there; all do that before anyone looks. */
  settle?(): Promise<void>
  /** Looks whether what it was told still holds. */
  check(): Promise<void>
}

export const partitions = [['plain', 0], ['plain', 1], ['aged', 0], ['keyed', 0], ['out', 0], ['out', 1]] as const
export type Place = (typeof partitions)[number]

export const agedRetentionMs = 100_000

export class World {
  readonly random: Random
  readonly segmentBytes: number
  readonly order: NameOrder
  /** Steps between two strikes, about. */
  readonly calm: number
  disk: StormDisk
  clock: VirtualClock = new VirtualClock(1_700_000_000_000)
  broker!: Broker
  channel!: Channel
  /** Counts the broker's lives; who waits for an answer of an older one waits no more. */
  life = 0
  readonly actors: Actor[] = []
  readonly ledgers: ReadonlyMap<string, Ledger> = new Map(partitions.map(place => [place.join('-'), new Ledger(place.join('-'))]))
  /** What has happened. */
  readonly story: string[] = []
  readonly counts: Record<string, number> = {}

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.calm = [12, 30, 80][this.below(3)]!
    this.segmentBytes = [600, 3000, 9000][this.below(3)]!
    this.order = this.below(4) === 0 ? 'loose' : 'journal'
    this.disk = new StormDisk(this.random, this.order)
    this.tell(`names are ${this.order}, segments have ${this.segmentBytes} bytes`)
  }

  below(limit: number): number {
    return this.random.uint32() % limit
  }

  tell(what: string): void {
    this.story.push(`${this.clock.now() - 1_700_000_000_000} ms, life ${this.life}, operation ${this.disk.operations}: ${what}`)
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  ledger(topic: string, partition: number): Ledger {
    return this.ledgers.get(`${topic}-${partition}`)!
  }

  /** A request of an actor; `then` hears the answer, as long as the broker lives. */
  ask<N extends ApiName>(api: N, body: RequestInput<N>, version: number, then: (answer: ResponseOf<N>) => void): void {
    this.follow(this.channel.request(api, body, { version }), then)
  }

  follow<T>(answer: Promise<T>, then: (answer: T) => void): void {
    const { life } = this
    answer.then(value => {
      if (life === this.life && !this.disk.isOff) then(value)
    }).catch((error: unknown) => {
      if (life === this.life && !this.disk.isOff) this.failure ??= error
    })
  }

  /** What an actor found wrong. */
  failure: unknown = null

  /** One answer, whatever has to be waited for; for checks, in good weather. */
  async demand<N extends ApiName>(api: N, body: RequestInput<N>, version: number): Promise<ResponseOf<N>> {
    return this.drive(this.channel.request(api, body, { version }))
  }

  /** Lets the disk work until a promise is settled. @throws Error when it takes for ever */
  async drive<T>(promise: Promise<T>): Promise<T> {
    const outcome = { isSettled: false }
    const settled = (): void => void (outcome.isSettled = true)
    promise.then(settled, settled)
    for (let tries = 0; !outcome.isSettled; tries++) {
      if (this.disk.isOff) throw new PowerGone()
      if (tries > 3000) throw new Error('the broker does not answer any more')
      if (tries % 100 === 99) this.clock.advance(200)
      this.disk.endSyncs()
      await turn()
    }
    return promise
  }

  /** Starts until it works: the power may go while it does. */
  async start(): Promise<void> {
    for (;;) {
      try {
        await this.#start()
        return
      } catch (error) {
        if (!this.disk.isOff) throw error
        this.crash()
      }
    }
  }

  async #start(): Promise<void> {
    this.clock = new VirtualClock(this.clock.now())
    const settings = {
      'transaction.state.log.num.partitions': 1, 'offsets.topic.num.partitions': 2, 'transaction.state.log.segment.bytes': this.segmentBytes, 'offsets.topic.segment.bytes': this.segmentBytes,
    }
    this.broker = await this.drive(startBroker({ disk: this.disk, clock: this.clock, random: this.random, settings }))
    this.channel = this.broker.connect()
    this.life++
    this.tell('the broker has started')
    for (const actor of this.actors) actor.reborn()
  }

  /** The disk as the power cut leaves it, which may be cut again while the next broker starts. */
  crash(): void {
    const mode: CrashMode = (['nothing', 'all', 'mixed', 'mixed'] as const)[this.below(4)]!
    this.tell(`the power has gone; ${mode} of what was not synced is left`)
    this.count('crashes')
    this.#end()
    this.disk = this.disk.crash(mode)
    if (this.below(6) === 0) this.disk.goesAt = this.below(40)
  }

  kill(): void {
    this.tell('the broker is killed')
    this.count('kills')
    this.#end()
    this.disk = this.disk.kill()
  }

  async stop(): Promise<void> {
    this.tell('the broker is closed')
    this.count('restarts')
    this.life++
    await this.drive(this.broker.close())
    this.disk = this.disk.kill()
  }

  /** Nobody hears what a dead broker goes on to say. */
  #end(): void {
    this.life++
    this.channel?.close()
  }

  /** The sky clears. */
  clear(): void {
    this.disk.failingSyncs = 0
    this.disk.failingAppends = 0
    this.disk.capacityBytes = Number.POSITIVE_INFINITY
    this.disk.goesAt = Number.POSITIVE_INFINITY
  }
}

/** Thrown to whoever waits for a broker whose power has gone. */
export class PowerGone extends Error {}

export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}
