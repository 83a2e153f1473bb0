// Grows random topologies, verb by verb, for properties that every topology has.

import fc from 'fast-check'
import { StreamsBuilder, serdes, tumbling, type KStream, type KTable, type Topology } from '../../dsl/index.ts'

/** One verb, below one of the streams or tables there are by then. */
export const step: fc.Arbitrary<Step> = fc.record({ verb: fc.nat({ max: 17 }), on: fc.nat({ max: 99 }), other: fc.nat({ max: 99 }) })

export interface Step {
  readonly verb: number
  readonly on: number
  readonly other: number
}

/** Grows `steps`, and among them `additions`: below sources of their own, and below the streams of `steps`, but without stores there. */
export function grow(steps: readonly Step[], additions: readonly { readonly before: number; readonly step: Step }[] = []): Topology {
  const builder = new StreamsBuilder({ defaults: { key: serdes.string, value: serdes.string } })
  const streams: KStream<string, string>[] = [builder.stream('a'), builder.stream('b')]
  const tables: KTable<string, string>[] = [builder.table('t')]
  const foreign = { streams: [] as KStream<string, string>[], tables: [] as KTable<string, string>[] }
  for (const [index, one] of [...steps, null].entries()) {
    for (const addition of additions) {
      if (Math.min(addition.before, steps.length) !== index) continue
      if (foreign.streams.length === 0) {
        foreign.streams.push(builder.stream('foreign'))
        foreign.tables.push(builder.table('foreign-table'))
      }
      apply(addition.step, foreign.streams, foreign.tables)
      const target = streams[addition.step.on % streams.length]!
      target.filter(() => true).mapValues(value => value).to('elsewhere')
    }
    if (one !== null) apply(one, streams, tables)
  }
  return builder.build()
}

const pass = (a: string): string => a

function apply({ verb, on, other }: Step, streams: KStream<string, string>[], tables: KTable<string, string>[]): void {
  const stream = streams[on % streams.length]!
  const table = tables[on % tables.length]!
  const verbs: readonly (() => void)[] = [
    () => streams.push(stream.filter(() => true)),
    () => streams.push(stream.mapValues(pass)),
    () => streams.push(stream.map((key, value) => [value, key])),
    () => streams.push(stream.selectKey((_, value) => value)),
    () => streams.push(stream.peek(() => {})),
    () => streams.push(stream.merge(streams[other % streams.length]!)),
    () => streams.push(...Object.values(stream.split({ x: () => true, y: () => true }))),
    () => streams.push(stream.repartition()),
    () => tables.push(stream.toTable({ store: {} })),
    () => tables.push(stream.groupByKey().reduce(pass)),
    () => streams.push(stream.groupBy((_, value) => value).count().toStream().mapValues(String)),
    () => streams.push(stream.groupByKey().windowedBy(tumbling(10)).reduce(pass).toStream(windowed => windowed.key)),
    () => streams.push(stream.join(tables[other % tables.length]!, pass)),
    () => streams.push(stream.leftJoin(tables[other % tables.length]!, pass)),
    () => tables.push(table.filter(() => true)),
    () => tables.push(table.mapValues(pass, { store: {} })),
    () => tables.push(table.groupBy((key, value) => [value, key]).reduce({ adder: pass, subtractor: pass })),
    () => streams.push(table.toStream().mapValues(value => value ?? '')),
  ]
  verbs[verb]!()
}
