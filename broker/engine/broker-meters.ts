// What a broker counts while it works: requests by API, records by topic, fsyncs, chores, failures of the disk.

import { Counter, Histogram, latencyBoundsSeconds } from '../../core/metrics/meter.ts'
import { apiNames, type ApiName } from '../wire/apis.ts'

export class BrokerMeters {
  readonly requests: ReadonlyMap<ApiName, RequestMeters> = new Map(apiNames.map(api => [api, new RequestMeters()]))
  requestsInFlight = 0
  readonly connectionsOpened: Counter = new Counter()
  readonly flushSeconds: Histogram = new Histogram(latencyBoundsSeconds)
  /** Logs whose end had to be looked for at the start. */
  readonly recoveredLogs: Counter = new Counter()
  readonly diskErrors: Counter = new Counter()
  /** Damaged places in log files, each counted once in a start. */
  readonly logDamages: Counter = new Counter()
  readonly retentionSeconds: Histogram = new Histogram(latencyBoundsSeconds)
  readonly compactionSeconds: Histogram = new Histogram(latencyBoundsSeconds)
  readonly compactedBytesBefore: Counter = new Counter()
  readonly compactedBytesAfter: Counter = new Counter()
  readonly #topics = new Map<string, TopicMeters>()

  /** The meters of a topic, made when first asked for. */
  topic(name: string): TopicMeters {
    let meters = this.#topics.get(name)
    if (meters === undefined) this.#topics.set(name, (meters = new TopicMeters()))
    return meters
  }

  /** A topic is gone: so is what was counted of it. */
  forgetTopic(name: string): void {
    this.#topics.delete(name)
  }

  topics(): Iterable<readonly [name: string, meters: TopicMeters]> {
    return this.#topics
  }
}

/** Of one API. */
export class RequestMeters {
  /** From a request's coming to its answer, seconds: waiting for records, for fsync, for other members of a group included. */
  readonly totalSeconds: Histogram = new Histogram(latencyBoundsSeconds)
  /** Until the handler first waits, seconds: the event loop did nothing else meanwhile. */
  readonly localSeconds: Histogram = new Histogram(latencyBoundsSeconds)
  /** By the name of the error; one for each time that an answer names it. */
  readonly errors: Map<string, Counter> = new Map<string, Counter>()

  failed(error: string): void {
    let counter = this.errors.get(error)
    if (counter === undefined) this.errors.set(error, (counter = new Counter()))
    counter.add()
  }
}

/** Of one topic, all its partitions together. */
export class TopicMeters {
  readonly bytesIn: Counter = new Counter()
  readonly recordsIn: Counter = new Counter()
  readonly bytesOut: Counter = new Counter()
  readonly recordsOut: Counter = new Counter()
}
