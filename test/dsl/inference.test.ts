// Types flow through every verb without help: what the compiler knows of keys and values at each step (checked by tsc).

import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  StreamsBuilder,
  hopping,
  keyValueStore,
  serdes,
  tumbling,
  type GlobalKTable,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  type Processor,
  type ProcessorContext,
  type ProcessorRecord,
  type Windowed,
} from '../../dsl/index.ts'

const Order = z.object({ customer: z.string(), total: z.number(), region: z.enum(['eu', 'us', 'asia']) })
type Order = z.infer<typeof Order>

function start(): { builder: StreamsBuilder; orders: KStream<string, Order> } {
  const builder = new StreamsBuilder()
  return { builder, orders: builder.stream('orders', { key: serdes.string, value: serdes.json(Order) }) }
}

test('a source has the types of its serdes; a schema types JSON', () => {
  const { builder, orders } = start()
  expectTypeOf(orders).toEqualTypeOf<KStream<string, Order>>()
  expectTypeOf(builder.table('t', { key: serdes.int32, value: serdes.boolean })).toEqualTypeOf<KTable<number, boolean>>()
  expectTypeOf(builder.globalTable('g', { key: serdes.string, value: serdes.bytes })).toEqualTypeOf<GlobalKTable<string, Uint8Array>>()
  expectTypeOf(builder.stream('x')).toEqualTypeOf<KStream<unknown, unknown>>()
  expectTypeOf(builder.stream<string, Order>('y')).toEqualTypeOf<KStream<string, Order>>()
  builder.stream('z', { key: serdes.string, value: serdes.json(Order), timestamp: (record, partitionTime) => record.value.total + partitionTime })
})

test('default serdes type the sources that name none', () => {
  const builder = new StreamsBuilder({ defaults: { key: serdes.string, value: serdes.json(Order) } })
  expectTypeOf(builder.stream('orders')).toEqualTypeOf<KStream<string, Order>>()
  expectTypeOf(builder.stream('numbers', { value: serdes.int64 })).toEqualTypeOf<KStream<string, number>>()
})

test('record by record', () => {
  const { orders } = start()
  expectTypeOf(orders.filter((key, order) => key !== '' && order.total > 1)).toEqualTypeOf<KStream<string, Order>>()
  expectTypeOf(orders.filter((_, order): order is Order & { region: 'eu' } => order.region === 'eu')).toEqualTypeOf<KStream<string, Order & { region: 'eu' }>>()
  expectTypeOf(orders.map((key, order) => [order.total, key])).toEqualTypeOf<KStream<number, string>>()
  expectTypeOf(orders.mapValues(order => order.total)).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(orders.mapValues((order, key) => (key === '' ? null : order.total))).toEqualTypeOf<KStream<string, number | null>>()
  expectTypeOf(orders.flatMap((key, order) => [[order.total, key], [1, key]])).toEqualTypeOf<KStream<number, string>>()
  expectTypeOf(orders.flatMapValues(order => [order.total])).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(orders.selectKey((_, order) => order.total)).toEqualTypeOf<KStream<number, Order>>()
  expectTypeOf(orders.peek((_key, _order) => {})).toEqualTypeOf<KStream<string, Order>>()
  expectTypeOf(orders.forEach(() => {})).toEqualTypeOf<void>()
})

test('branches are named in the type', () => {
  const { orders } = start()
  const branches = orders.split({ eu: (_, order) => order.region === 'eu', us: (_, order) => order.region === 'us' }, { default: 'rest' })
  expectTypeOf(branches).toEqualTypeOf<Readonly<Record<'eu' | 'us' | 'rest', KStream<string, Order>>>>()
  const { big } = orders.split({ big: (_, order) => order.total > 100 })
  expectTypeOf(big).toEqualTypeOf<KStream<string, Order>>()
  // @ts-expect-error no such branch
  void orders.split({ small: (_, order) => order.total < 100 }).rest
})

test('a stream of a narrower type stands in for a wider one', () => {
  const { orders } = start()
  const wide: KStream<string, { total: number }> = orders
  expectTypeOf(wide.merge(orders)).toEqualTypeOf<KStream<string, { total: number }>>()
  // @ts-expect-error keys differ
  orders.merge(orders.selectKey((_, order) => order.total))
})

test('serdes of sinks must fit', () => {
  const { builder, orders } = start()
  orders.mapValues(order => order.total).to('totals', { value: serdes.float64 })
  orders.to((_, order, { timestamp }) => `orders-${order.region}-${timestamp}`)
  orders.to('orders-2', { partitioner: (_topic, key, order, partitions) => (key.length + order.total) % partitions })
  // @ts-expect-error a number is no string
  orders.mapValues(order => order.total).to('totals', { value: serdes.string })
  // @ts-expect-error a string key is no int64
  orders.to('totals', { key: serdes.int64 })
  expect(builder.build().nodes.filter(node => node.kind === 'sink')).toHaveLength(5)
})

test('groups and aggregates; nulls say whether rows can be deleted', () => {
  const { orders } = start()
  expectTypeOf(orders.groupByKey()).toEqualTypeOf<KGroupedStream<string, Order>>()
  const grouped = orders.groupBy((_, order) => (order.total > 1 ? order.customer : null))
  expectTypeOf(grouped).toEqualTypeOf<KGroupedStream<string, Order>>()
  expectTypeOf(grouped.count({ store: 'counts' })).toEqualTypeOf<KTable<string, number, never>>()
  expectTypeOf(grouped.count().toStream()).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(grouped.reduce((first, second) => (first.total > second.total ? first : second))).toEqualTypeOf<KTable<string, Order, never>>()
  expectTypeOf(grouped.reduce((first, second) => (first.total > second.total ? first : null))).toEqualTypeOf<KTable<string, Order>>()
  expectTypeOf(grouped.aggregate({ initializer: () => 0, aggregator: (_key, order, sum) => sum + order.total, store: { value: serdes.float64 } })).toEqualTypeOf<KTable<string, number, never>>()
  expectTypeOf(grouped.aggregate({ initializer: () => 0, aggregator: (_key, order, sum) => (sum > 9 ? null : sum + order.total) })).toEqualTypeOf<KTable<string, number>>()
  const mean = grouped.aggregate({ initializer: () => ({ sum: 0, count: 0 }), aggregator: (_key, order, { sum, count }) => ({ sum: sum + order.total, count: count + 1 }), store: { value: serdes.json() } })
  expectTypeOf(mean).toEqualTypeOf<KTable<string, { sum: number; count: number }, never>>()
  // @ts-expect-error the store holds numbers
  grouped.count({ store: { value: serdes.string } })
})

test('windowed keys', () => {
  const { orders } = start()
  const hours = tumbling({ hours: 1 })
  const counts = orders.groupByKey().windowedBy(hours).count({ store: { name: 'hourly', retention: { days: 1 } } })
  expectTypeOf(counts).toEqualTypeOf<KTable<Windowed<string>, number, never>>()
  counts.toStream().to('hourly', { key: serdes.windowed(serdes.string, hours), value: serdes.int64 })
  expectTypeOf(counts.toStream((windowed, count) => [windowed.key, windowed.window.start, count] as const)).toEqualTypeOf<KStream<readonly [string, number, number], number>>()
  const sums = orders.groupByKey().windowedBy(hopping(10, 5)).aggregate({ initializer: () => 0, aggregator: (_key, order, sum) => sum + order.total })
  expectTypeOf(sums).toEqualTypeOf<KTable<Windowed<string>, number, never>>()
  expectTypeOf(orders.groupByKey().windowedBy(hours).reduce((_, order) => order)).toEqualTypeOf<KTable<Windowed<string>, Order, never>>()
})

test('tables have tombstones where rows can go', () => {
  const { builder, orders } = start()
  const customers = builder.table('customers', { key: serdes.string, value: serdes.json<{ country: string }>() })
  expectTypeOf(customers.toStream()).toEqualTypeOf<KStream<string, { country: string } | null>>()
  const counts = orders.groupByKey().count()
  expectTypeOf(counts.filter((_, count) => count > 2)).toEqualTypeOf<KTable<string, number>>()
  expectTypeOf(counts.mapValues(count => String(count))).toEqualTypeOf<KTable<string, string, never>>()
  expectTypeOf(counts.mapValues(count => (count > 2 ? 'many' : null))).toEqualTypeOf<KTable<string, 'many'>>()
  expectTypeOf(customers.mapValues(customer => customer.country)).toEqualTypeOf<KTable<string, string>>()
  expectTypeOf(customers.mapValues(customer => customer?.country ?? 'none', { seesNulls: true })).toEqualTypeOf<KTable<string, string, never>>()
  expectTypeOf(orders.toTable()).toEqualTypeOf<KTable<string, Order>>()
  customers.toStream().to('countries', { value: serdes.json<{ country: string }>() })
})

test('grouped tables', () => {
  const { builder } = start()
  const customers = builder.table('customers', { key: serdes.string, value: serdes.json<{ country: string; age: number }>() })
  const grouped = customers.groupBy((_, customer) => [customer.country, customer.age])
  expectTypeOf(grouped).toEqualTypeOf<KGroupedTable<string, number>>()
  expectTypeOf(grouped.count()).toEqualTypeOf<KTable<string, number, never>>()
  expectTypeOf(grouped.reduce({ adder: (sum, age) => sum + age, subtractor: (sum, age) => sum - age, store: 'ages' })).toEqualTypeOf<KTable<string, number, never>>()
  const means = grouped.aggregate({
    initializer: () => ({ sum: 0, count: 0 }),
    adder: (_country, age, { sum, count }) => ({ sum: sum + age, count: count + 1 }),
    subtractor: (_country, age, { sum, count }) => (count === 1 ? null : { sum: sum - age, count: count - 1 }),
    store: { name: 'means', value: serdes.json() },
  })
  expectTypeOf(means).toEqualTypeOf<KTable<string, { sum: number; count: number }>>()
})

test('joins', () => {
  const { builder, orders } = start()
  const customers = builder.table('customers', { key: serdes.string, value: serdes.json<{ country: string }>() })
  const regions = builder.globalTable('regions', { key: serdes.int32, value: serdes.string })
  expectTypeOf(orders.join(customers, (order, customer, key) => ({ key, total: order.total, ...customer }))).toEqualTypeOf<KStream<string, { country: string; key: string; total: number }>>()
  expectTypeOf(orders.leftJoin(customers, (_, customer) => customer)).toEqualTypeOf<KStream<string, { country: string } | null>>()
  expectTypeOf(orders.join(orders.groupByKey().count(), (_, count) => count)).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(orders.join(regions, (_, region) => region, { on: (_key, order) => order.total })).toEqualTypeOf<KStream<string, string>>()
  expectTypeOf(orders.leftJoin(regions, (_, region) => region, { on: (_key, order) => (order.total > 0 ? order.total : null) })).toEqualTypeOf<KStream<string, string | null>>()
  // @ts-expect-error the table's keys are numbers
  orders.join(builder.table('numbers', { key: serdes.int64, value: serdes.string }), order => order)
  // @ts-expect-error a global table needs `on`
  expect(() => orders.join(regions, order => order)).toThrow('the key to look up in the global table is not said')
  // @ts-expect-error the global table's keys are numbers
  orders.join(regions, order => order, { on: key => key })
})

test('processors', () => {
  class Counter implements Processor<string, Order, string, number> {
    #context: ProcessorContext<string, number> | null = null
    init(context: ProcessorContext<string, number>): void {
      this.#context = context
    }

    process(record: ProcessorRecord<string, Order>): void {
      this.#context?.forward(record.withValue(record.value.total))
    }
  }
  const { orders } = start()
  expectTypeOf(orders.process(() => new Counter(), { stores: [keyValueStore('seen', { key: serdes.string, value: serdes.int64 })] })).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(orders.processValues(() => new Counter(), { stores: ['seen'] })).toEqualTypeOf<KStream<string, number>>()
  // @ts-expect-error it takes orders
  orders.mapValues(order => order.total).process(() => new Counter())
})
