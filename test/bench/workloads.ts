// The workloads of the benchmark as Millrace topologies, written as a user would write them. Java's twins stand beside the benchmark.

import { hopping, serdes, StreamsBuilder, tumbling, type KStream, type KTable, type Serde, type Topology, type Windowed } from 'millrace'

/** Told of every record that decides when the input is processed, and of every output. */
export interface WorkloadProbe {
  done(): void
  output(): void
}

export const WORKLOADS = ['stateless', 'count-10k', 'count-1m', 'restore', 'repartition-count', 'tumbling', 'hopping-60', 'stream-table', 'pass'] as const
export type Workload = (typeof WORKLOADS)[number]

/** Workloads that read a second topic, `<in>-2`. */
export const TWO_INPUTS: ReadonlySet<string> = new Set(['stream-table'])

interface Event {
  readonly id: number
  readonly key: string
  readonly amount: number
  readonly flag: boolean
}

interface Charge {
  readonly id: number
  readonly key: string
  readonly price: number
}

/** JSON as the benchmark expects it to the byte: a whole price with `.0`, as Java writes doubles. */
const charge: Serde<Charge> = serdes.custom(
  'charge',
  ({ id, key, price }) => Buffer.from(`{"id":${id},"key":${JSON.stringify(key)},"price":${Number.isInteger(price) ? `${price}.0` : price},"kind":"charge"}`),
  bytes => JSON.parse(Buffer.from(bytes).toString()) as Charge,
)

const BYTES = { key: serdes.string, value: serdes.bytes }
const GRACE = { grace: { seconds: 1 } }

export function workloadTopology(workload: Workload, topics: { readonly in: string; readonly out: string; readonly partitions: number }, probe: WorkloadProbe): Topology {
  const builder = new StreamsBuilder()
  const source = (): KStream<string, Uint8Array> => builder.stream(topics.in, BYTES)
  const counted = <V>(stream: KStream<string, V>): KStream<string, V> => stream.peek(() => probe.done())
  const emit = <K, V>(stream: KStream<K, V>): KStream<K, V> => stream.peek(() => probe.output())
  const table = (counts: KTable<string, number>): void => emit(counts.toStream()).to(topics.out, { value: serdes.int64 })
  const windows = (counts: KTable<Windowed<string>, number>): void =>
    emit(counts.toStream(({ key, window }) => `${key}@${window.start}`)).to(topics.out, { key: serdes.string, value: serdes.int64 })

  const draw: Readonly<Record<Workload, () => void>> = {
    stateless: () =>
      emit(
        counted(builder.stream(topics.in, { key: serdes.string, value: serdes.json<Event>() }))
          .filter((_, event) => event.flag)
          .mapValues(({ id, key, amount }): Charge => ({ id, key, price: amount / 100 })),
      ).to(topics.out, { value: charge }),
    'count-10k': () => table(counted(source()).groupByKey().count({ store: 'counts' })),
    'count-1m': () => table(counted(source()).groupByKey().count({ store: 'counts' })),
    restore: () => table(counted(source()).groupByKey().count({ store: 'counts' })),
    'repartition-count': () => {
      const moved = builder
        .stream(topics.in, BYTES)
        .selectKey((_, value) => `a${eventOf(value).amount % 10_000}`)
        .repartition({ name: 'moved', ...BYTES, partitions: topics.partitions })
      table(counted(moved).groupByKey().count({ store: 'counts' }))
    },
    tumbling: () => windows(counted(source()).groupByKey().windowedBy(tumbling({ seconds: 10 }, GRACE)).count({ store: 'counts' })),
    'hopping-60': () => windows(counted(source()).groupByKey().windowedBy(hopping({ seconds: 60 }, { seconds: 1 }, GRACE)).count({ store: 'counts' })),
    'stream-table': () => {
      const rows = builder.table(`${topics.in}-2`, { ...BYTES, store: 'rows' })
      emit(counted(source()).join(rows, paste)).to(topics.out, { value: serdes.bytes })
    },
    pass: () => emit(counted(source())).to(topics.out),
  }
  draw[workload]()
  return builder.build()
}

/** Both values in a JSON array, without looking inside. */
function eventOf(value: Uint8Array): Event {
  return JSON.parse((value as Buffer).toString()) as Event
}

function paste(left: Uint8Array, right: Uint8Array): Uint8Array {
  const pasted = Buffer.allocUnsafe(left.length + right.length + 3)
  pasted[0] = 91
  pasted.set(left, 1)
  pasted[left.length + 1] = 44
  pasted.set(right, left.length + 2)
  pasted[pasted.length - 1] = 93
  return pasted
}
