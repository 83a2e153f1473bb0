// The task machine: order, waiting, positions, clocks, bad records, punctuations, held-back updates.

import { describe, expect, test } from 'vitest'
import { Headers, serdes, StreamsBuilder, tumbling, type MillraceError, type Topology } from 'millrace'
import type { ProcessorContext } from '../../../core/processor.ts'
import type { RecordFailure } from '../../../runtime/operators/error-handler.ts'
import { TaskHarness } from './task-harness.ts'

const text = { key: serdes.string, value: serdes.string }

function topology(describeIt: (builder: StreamsBuilder) => void): Topology {
  const builder = new StreamsBuilder({ defaults: text })
  describeIt(builder)
  return builder.build()
}

/** Two topics into one, in the order they are processed. */
function twoTopics(): Topology {
  return topology(builder => builder.stream('a', text).merge(builder.stream('b', text)).to('out', text))
}

function counts(options: { readonly table?: string } = {}): Topology {
  return topology(builder =>
    builder
      .stream('in', text)
      .groupByKey()
      .count({ store: options.table ?? 'counts' })
      .toStream()
      .mapValues(count => String(count))
      .to('out', text),
  )
}

function thrown(action: () => void): MillraceError {
  try {
    action()
  } catch (error) {
    return error as MillraceError
  }
  throw new Error('nothing was thrown')
}

describe('which record is next', () => {
  test('the oldest over all partitions, and in one partition the next in the log', () => {
    const harness = new TaskHarness(twoTopics())
    harness.feed('a', [{ value: 'a5', timestamp: 5 }, { value: 'a1', timestamp: 1 }, { value: 'a9', timestamp: 9 }])
    harness.feed('b', [{ value: 'b4', timestamp: 4 }, { value: 'b6', timestamp: 6 }])
    expect(harness.task.hasWork()).toBe(true)
    expect(harness.run()).toBe(5)
    expect(harness.values('out')).toEqual(['b4', 'a5', 'a1', 'b6', 'a9'])
    expect(harness.task.hasWork()).toBe(false)
  })

  test('of equal timestamps, that of the topic that comes first in the subtopology', () => {
    const harness = new TaskHarness(twoTopics())
    harness.feed('b', [{ value: 'b', timestamp: 7 }])
    harness.feed('a', [{ value: 'a', timestamp: 7 }])
    harness.run()
    expect(harness.values('out')).toEqual(['a', 'b'])
  })

  test('waits for an empty partition that has not been read to its end', () => {
    const harness = new TaskHarness(twoTopics())
    harness.feed('a', [{ value: 'a1', timestamp: 1 }, { value: 'a3', timestamp: 3 }])
    expect(harness.task.hasWork()).toBe(false)
    expect(harness.run()).toBe(0)
    harness.feed('b', [{ value: 'b2', timestamp: 2 }], { end: 2 })
    expect(harness.run()).toBe(2)
    expect(harness.task.hasWork()).toBe(false)
    harness.task.caughtUp('b', 0, true)
    expect(harness.run()).toBe(1)
    expect(harness.values('out')).toEqual(['a1', 'b2', 'a3'])
  })

  test('stops after as many records as it is told', () => {
    const harness = new TaskHarness(topology(builder => builder.stream('in', text).to('out', text)))
    harness.feed('in', [1, 2, 3, 4, 5].map(n => ({ value: `v${n}`, timestamp: n })))
    expect(harness.task.process(2, 0)).toBe(2)
    expect(harness.task.counters.processed).toBe(2)
    expect(harness.task.positions()).toEqual([{ topic: 'in', partition: 0, offset: 2, metadata: 'AgAAAAAAAAAC' }])
  })
})

describe('positions and clocks', () => {
  const pass = topology(builder => builder.stream('in', text).to('out', text))

  test("the position is behind the last record, with the partition time in Kafka Streams' form", () => {
    const harness = new TaskHarness(pass)
    expect(harness.task.positions()).toEqual([])
    harness.feed('in', [{ value: 'v', timestamp: 1000 }, { value: 'w', timestamp: 10, offset: 7 }])
    harness.run()
    expect(harness.task.positions()).toEqual([{ topic: 'in', partition: 0, offset: 8, metadata: 'AgAAAAAAAAPo' }])
  })

  test('what is at the end of a fetch and never shows (control records, skipped offsets) is passed, too', () => {
    const harness = new TaskHarness(pass)
    harness.feed('in', [{ value: 'v', timestamp: 1 }], { nextOffset: 5 })
    harness.run()
    expect(harness.task.positions()[0]!.offset).toBe(5)
  })

  test('bytes are held until their fetch is used up', () => {
    const harness = new TaskHarness(pass)
    harness.feed('in', [{ value: 'v', timestamp: 1 }, { value: 'w', timestamp: 1 }])
    expect(harness.task.bufferedBytes('in', 0)).toBe(200)
    harness.run()
    expect(harness.task.bufferedBytes('in', 0)).toBe(0)
  })

  test('the partition time comes back with the committed metadata, for extractors and for stream time', () => {
    const seen: number[] = []
    const extracting = topology(builder =>
      builder
        .stream('in', {
          ...text,
          timestamp: (record, partitionTime) => {
            seen.push(partitionTime)
            return record.timestamp
          },
        })
        .to('out', text),
    )
    const harness = new TaskHarness(extracting, { committed: new Map([['in-0', { offset: 3, metadata: 'AgAAAAAAAAPo' }]]) })
    expect(harness.task.streamTime).toBe(1000)
    harness.feed('in', [{ value: 'v', timestamp: 5 }, { value: 'w', timestamp: 2000 }, { value: 'x', timestamp: 2 }])
    harness.run()
    expect(seen).toEqual([1000, 1000, 2000])
    expect(harness.task.streamTime).toBe(2000)
  })

  test('metadata that is not ours is no partition time', () => {
    const harness = new TaskHarness(pass, { committed: new Map([['in-0', { offset: 3, metadata: 'somebody was here' }]]) })
    expect(harness.task.streamTime).toBe(-1)
  })

  test('a record that was late before a restart is late after it', async () => {
    const windows = topology(builder => builder.stream('in', text).groupByKey().windowedBy(tumbling(10)).count({ store: 'w' }))
    const before = new TaskHarness(windows)
    before.feed('in', [{ key: 'k', value: 'v', timestamp: 5 }, { key: 'k', value: 'v', timestamp: 25 }])
    before.run()
    before.task.flush()
    await before.state.commit({ changelogOffsets: new Map(), clocks: before.task.clocks() })
    before.task.close()
    const after = new TaskHarness(windows, { state: before.state })
    after.feed('in', [{ key: 'k', value: 'v', timestamp: 8 }])
    after.run()
    expect(after.task.counters.dropped).toBe(1)
    expect(after.task.streamTime).toBe(25)
  })
})

describe('bad records', () => {
  const numbers = topology(builder => builder.stream('in', { key: serdes.string, value: serdes.int64 }).mapValues(value => `got ${value}`).to('out', text))
  const good = '\0\0\0\0\0\0\0\u0001'

  test('one that cannot be decoded fails the task, and the message says where', () => {
    const harness = new TaskHarness(numbers)
    harness.feed('in', [{ value: good, timestamp: 1 }, { value: 'short', timestamp: 2, offset: 41 }])
    const error = thrown(() => harness.run())
    expect(error.code).toBe('DESERIALIZATION')
    expect(error.message).toMatch(/offset 41 of in-0 .* int64 has 8 bytes/)
    expect(harness.values('out')).toEqual(['got 1'])
    expect(harness.task.positions()[0]!.offset).toBe(1)
  })

  test('skipped, it is counted, and its offset is passed', () => {
    const failures: RecordFailure[] = []
    const harness = new TaskHarness(numbers, {
      onDeserializationError: failure => {
        failures.push(failure)
        return 'skip'
      },
    })
    harness.feed('in', [{ value: 'short', timestamp: 1 }, { value: good, timestamp: 2 }, { value: 'short', timestamp: 3 }])
    harness.run()
    expect(harness.values('out')).toEqual(['got 1'])
    expect(harness.task.counters).toMatchObject({ processed: 1, skipped: 2, dropped: 0 })
    expect(harness.task.positions()[0]!.offset).toBe(3)
    expect(failures.map(({ topic, partition, offset, operator }) => ({ topic, partition, offset, operator }))).toEqual([
      { topic: 'in', partition: 0, offset: 0, operator: 'in' },
      { topic: 'in', partition: 0, offset: 2, operator: 'in' },
    ])
  })

  test('a negative timestamp is a failure, unless an extractor gave it', () => {
    const pass = new TaskHarness(topology(builder => builder.stream('in', text).to('out', text)))
    pass.feed('in', [{ value: 'v', timestamp: -1 }])
    expect(thrown(() => pass.run()).message).toContain('timestamp is -1')
    const extracting = new TaskHarness(topology(builder => builder.stream('in', { ...text, timestamp: () => -1 }).to('out', text)))
    extracting.feed('in', [{ value: 'v', timestamp: 5 }])
    expect(extracting.run()).toBe(0)
    expect(extracting.task.counters).toMatchObject({ dropped: 1, skipped: 0 })
  })

  test("a user's function that throws is named with its line, the record and the cause", () => {
    const failing = topology(builder =>
      builder
        .stream('in', text)
        .mapValues(value => JSON.parse(value) as string, { name: 'parse' })
        .to('out', text),
    )
    const harness = new TaskHarness(failing)
    harness.feed('in', [{ value: '{', timestamp: 1, offset: 12 }])
    const error = thrown(() => harness.run())
    expect(error.code).toBe('PROCESSING')
    expect(error.message).toMatch(/operator parse \(map-values, .*task\.test\.ts:\d+\) failed at the record at offset 12 of in-0: SyntaxError/)
    expect(error.cause).toBeInstanceOf(SyntaxError)
  })

  test('skipped, the record ends at the operator that failed: siblings and what came before go on', () => {
    const failing = topology(builder => {
      const words = builder.stream('in', text).flatMapValues(value => value.split(' '))
      words.mapValues(word => {
        if (word === 'bad') throw new Error('no')
        return word
      }).to('left', text)
      words.to('right', text)
    })
    const harness = new TaskHarness(failing, { onProcessingError: 'skip' })
    harness.feed('in', [{ value: 'one bad two', timestamp: 1 }])
    harness.run()
    expect(harness.values('left')).toEqual(['one', 'two'])
    expect(harness.values('right')).toEqual(['one', 'bad', 'two'])
    expect(harness.task.counters.skipped).toBe(1)
  })

  test('a failure below a processor is asked about once, as the operator that failed', () => {
    const failures: string[] = []
    const failing = topology(builder => {
      builder
        .stream('in', text)
        .process(() => {
          let context: ProcessorContext<string, string> | undefined
          return {
            init: given => {
              context = given
            },
            process: record => context!.forward(record),
          }
        })
        .peek(() => {
          throw new Error('below')
        }, { name: 'below' })
        .to('out', text)
    })
    const harness = new TaskHarness(failing, {
      onProcessingError: failure => {
        failures.push(failure.operator)
        return 'fail'
      },
    })
    harness.feed('in', [{ value: 'v', timestamp: 1 }])
    expect(thrown(() => harness.run()).message).toContain('below')
    expect(failures).toEqual(['below'])
  })
})

describe('punctuations', () => {
  function ticking(type: 'stream' | 'wall', interval: number): Topology {
    return topology(builder =>
      builder
        .stream('in', text)
        .process<string, string>(() => {
          let context: ProcessorContext<string, string>
          return {
            init(given) {
              context = given
              context.schedule(interval, type, time => {
                const { topic } = context.recordMetadata()
                context.forward({ key: 'tick', value: `tick ${time} ${topic}`, timestamp: time, headers: new Headers() })
                context.commit()
              })
            },
            process: record => context.forward(record),
          }
        })
        .to('out', text),
    )
  }

  test('by stream time, right after the record that makes them due; missed ones collapse', () => {
    const harness = new TaskHarness(ticking('stream', 10))
    harness.feed('in', [3, 8, 12, 11, 45, 50].map(n => ({ value: `v${n}`, timestamp: n })))
    harness.run()
    expect(harness.values('out')).toEqual(['v3', 'tick 3 null', 'v8', 'v12', 'tick 12 null', 'v11', 'v45', 'tick 45 null', 'v50', 'tick 50 null'])
    expect(harness.task.commitRequested).toBe(true)
    harness.task.flush()
    expect(harness.task.commitRequested).toBe(false)
  })

  test('by wall time, an interval after the start, whether there are records or not', () => {
    const harness = new TaskHarness(ticking('wall', 10), { wallTimeMs: 1000 })
    expect(harness.task.nextPunctuation).toBe(1010)
    expect(harness.task.punctuate(1009)).toBe(false)
    expect(harness.task.punctuate(1035)).toBe(true)
    expect(harness.task.nextPunctuation).toBe(1040)
    expect(harness.values('out')).toEqual(['tick 1035 null'])
  })

  test('what throws in one goes to the handler, without a record', () => {
    const failures: RecordFailure[] = []
    const failing = topology(builder =>
      builder.stream('in', text).process(() => ({
        init: context => {
          context.schedule(10, 'wall', () => {
            throw new Error('tick')
          })
        },
        process() {},
      }), { name: 'clockwork' }),
    )
    const harness = new TaskHarness(failing, {
      onProcessingError: failure => {
        failures.push(failure)
        return 'skip'
      },
    })
    harness.task.punctuate(10)
    expect(failures[0]).toMatchObject({ topic: null, partition: -1, offset: -1, operator: 'clockwork' })
  })
})

describe('held-back updates', () => {
  test("only a key's last one goes on, with the flush, in the order of the last writes", () => {
    const harness = new TaskHarness(counts(), { holdUpdates: true })
    harness.feed('in', ['a', 'b', 'a', 'c', 'b', 'a'].map((key, index) => ({ key, value: 'v', timestamp: index })))
    harness.run()
    expect(harness.written).toEqual([])
    harness.task.flush()
    expect(harness.written.filter(record => record.topic === 'out').map(({ key, value, timestamp }) => [key, value!.toString(), timestamp])).toEqual([['c', '1', 3], ['b', '2', 4], ['a', '3', 5]])
    expect(harness.written.filter(record => record.topic === 'app-counts-changelog').map(record => record.partition)).toEqual([0, 0, 0])
    harness.written.length = 0
    harness.task.flush()
    expect(harness.written).toEqual([])
  })

  test('without holding, every update goes on at once, and the changelog still has the last alone', () => {
    const harness = new TaskHarness(counts())
    harness.feed('in', [1, 2, 3].map(n => ({ key: 'a', value: 'v', timestamp: n })))
    harness.run()
    expect(harness.values('out')).toEqual(['1', '2', '3'])
    harness.task.flush()
    expect(harness.values('app-counts-changelog')).toHaveLength(1)
  })

  test('a row that comes and goes between two flushes never was', () => {
    const table = topology(builder => builder.table('in', { ...text, store: 't' }).toStream().to('out', text))
    const harness = new TaskHarness(table, { holdUpdates: true })
    harness.feed('in', [{ key: 'a', value: 'v', timestamp: 1 }, { key: 'b', value: 'w', timestamp: 2 }, { key: 'a', value: null, timestamp: 3 }])
    harness.run()
    harness.task.flush()
    expect(harness.values('out')).toEqual(['w'])
    harness.feed('in', [{ key: 'b', value: null, timestamp: 4 }])
    harness.run()
    harness.task.flush()
    expect(harness.values('out')).toEqual([null])
  })

  test('a store that is not cached holds nothing back', () => {
    const table = topology(builder => builder.table('in', { ...text, store: { name: 't', cached: false } }).toStream().to('out', text))
    const harness = new TaskHarness(table, { holdUpdates: true })
    harness.feed('in', [{ key: 'a', value: 'v', timestamp: 1 }])
    harness.run()
    expect(harness.values('out')).toEqual(['v'])
  })

  test('the changelog goes to the partition of the task', () => {
    const harness = new TaskHarness(counts(), { partition: 2, partitions: 4 })
    harness.feed('in', [{ key: 'a', value: 'v', timestamp: 1 }])
    harness.run()
    harness.task.flush()
    expect(harness.written.find(record => record.topic === 'app-counts-changelog')!.partition).toBe(2)
  })
})
