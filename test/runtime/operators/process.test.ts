// process and processValues: what a processor may do, and what it is told when it may not.

import { expect, test } from 'vitest'
import { Headers, keyValueStore, serdes, StreamsBuilder, type MillraceError, type ProcessorContext, type ProcessorSupplier } from 'millrace'
import { TopologyTestDriver } from 'millrace/testing'

const text = { key: serdes.string, value: serdes.string }
type Text = ProcessorContext<string, string>

/** A processor from one function. */
function each(step: (context: Text, record: { key: string; value: string; timestamp: number; headers: Headers }) => void): ProcessorSupplier<string, string, string, string> {
  return () => {
    let context: Text
    return {
      init: given => {
        context = given
      },
      process: record => step(context, record),
    }
  }
}

function driverOf(describe: (builder: StreamsBuilder<string, string>) => void): TopologyTestDriver {
  const builder = new StreamsBuilder({ defaults: text })
  describe(builder)
  return new TopologyTestDriver(builder.build())
}

function codeOf(action: () => void): string {
  try {
    action()
  } catch (error) {
    return ((error as MillraceError).cause as MillraceError | undefined)?.code ?? (error as MillraceError).code
  }
  return 'nothing was thrown'
}

test('a store is at hand under its name, and only if it is connected', () => {
  const seen = keyValueStore('seen', { key: serdes.string, value: serdes.int32 })
  using driver = driverOf(builder =>
    builder.stream('in', text).process(each((context, record) => {
      const store = context.store<string, number>('seen')
      const count = (store.get(record.key) ?? 0) + 1
      store.put(record.key, count)
      context.forward({ ...record, key: record.key, value: `${record.value}#${count}`, timestamp: record.timestamp, headers: record.headers })
    }), { stores: [seen] }).to('out', text),
  )
  driver.input('in', text).sendAll([{ key: 'a', value: 'x' }, { key: 'b', value: 'y' }, { key: 'a', value: 'z' }])
  expect(driver.output('out', text).readValues()).toEqual(['x#1', 'y#1', 'z#2'])
  expect(driver.store<string, number>('seen').entries()).toEqual([['a', 2], ['b', 1]])

  using other = driverOf(builder => builder.stream('in', text).process(each(context => void context.store('seen'))).to('out', text))
  expect(codeOf(() => other.input('in', text).send({ key: 'a', value: 'x' }))).toBe('UNKNOWN_STORE')
})

test('a store answers ranges both ways, in the order of the bytes, and may be written meanwhile', () => {
  const store = keyValueStore('s', text)
  let answer: unknown
  using driver = driverOf(builder =>
    builder.stream('in', text).process(each(context => {
      const rows = context.store<string, string>('s')
      for (const key of ['b', 'a', 'ab', 'c']) rows.put(key, key.toUpperCase())
      for (const [key] of rows.all()) if (key === 'ab') rows.delete('c')
      answer = [[...rows.range('a', 'b')], [...rows.reverseAll()].map(([key]) => key), rows.putIfAbsent('a', 'new'), rows.delete('a'), rows.get('a'), rows.delete('a')]
    }), { stores: [store] }),
  )
  driver.input('in', text).send({ key: 'k', value: 'v' })
  expect(answer).toEqual([[['a', 'A'], ['ab', 'AB'], ['b', 'B']], ['b', 'ab', 'a'], 'A', 'A', null, null])
})

test('forward to a child by name; a name that is none is refused', () => {
  using driver = driverOf(builder => {
    const routed = builder.stream('in', text).process(each((context, record) => context.forward(record, record.value)))
    routed.filter(() => true, { name: 'left' }).to('l', text)
    routed.filter(() => true, { name: 'right' }).to('r', text)
  })
  driver.input('in', text).sendAll([{ key: 'a', value: 'left' }, { key: 'b', value: 'right' }])
  expect(driver.output('l', text).readPairs()).toEqual([['a', 'left']])
  expect(driver.output('r', text).readPairs()).toEqual([['b', 'right']])
  expect(codeOf(() => driver.input('in', text).send({ key: 'a', value: 'middle' }))).toBe('UNKNOWN_CHILD')
})

test('processValues keeps keys: another one is refused', () => {
  using driver = driverOf(builder => builder.stream('in', text).processValues(each((context, record) => context.forward({ ...record, key: `${record.key}!`, value: 'v', timestamp: 0, headers: new Headers() }))).to('out', text))
  expect(codeOf(() => driver.input('in', text).send({ key: 'a', value: 'x' }))).toBe('KEY_CHANGED')
})

test('a negative timestamp is refused', () => {
  using driver = driverOf(builder => builder.stream('in', text).process(each((context, record) => context.forward({ key: 'k', value: 'v', timestamp: -1, headers: record.headers }))).to('out', text))
  expect(codeOf(() => driver.input('in', text).send({ key: 'a', value: 'x' }))).toBe('NEGATIVE_TIMESTAMP')
})

test('a global store may be read by any processor and written by none', () => {
  using driver = driverOf(builder => {
    builder.globalTable('countries', { ...text, store: 'countries' })
    builder.stream('in', text).process(each((context, record) => {
      const countries = context.store<string, string>('countries')
      if (record.value === 'write') countries.put('x', 'y')
      context.forward({ key: record.key, value: countries.get(record.value) ?? 'nowhere', timestamp: record.timestamp, headers: record.headers })
    })).to('out', text)
  })
  driver.input('countries', text).send({ key: 'at', value: 'Austria' })
  driver.input('in', text).sendAll([{ key: 'k', value: 'at' }, { key: 'k', value: 'ch' }])
  expect(driver.output('out', text).readValues()).toEqual(['Austria', 'nowhere'])
  expect(codeOf(() => driver.input('in', text).send({ key: 'k', value: 'write' }))).toBe('READ_ONLY_STORE')
})

test('a processor is closed with its task', () => {
  let closed = 0
  const driver = driverOf(builder => builder.stream('in', text).process(() => ({ process() {}, close: () => void closed++ })))
  driver.close()
  expect(closed).toBe(1)
})

test('an asynchronous processor, or action, is refused', () => {
  using driver = driverOf(builder => {
    builder.stream('a', text).process(() => ({ process: async () => {} }))
    builder.stream('b', text).forEach(async () => {})
  })
  expect(codeOf(() => driver.input('a', text).send({ value: 'v' }))).toBe('ASYNC_FUNCTION')
  expect(codeOf(() => driver.input('b', text).send({ value: 'v' }))).toBe('ASYNC_FUNCTION')
})

test('a supplier that gives one processor to two tasks is refused, and a processor that cannot start is named', () => {
  const shared = { process() {} }
  const builder = new StreamsBuilder({ defaults: text })
  builder.stream('in', text).process(() => shared)
  expect(() => new TopologyTestDriver(builder, { partitions: 2 })).toThrow(/in.process \(.*process.test.ts:\d+\) could not start: .*same processor twice/)
})
