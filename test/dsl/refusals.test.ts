// What cannot run is refused with the operator, its line, the fact, and what to do.

import { expect, test } from 'vitest'
import { StreamsBuilder, keyValueStore, serdes, tumbling } from '../../dsl/index.ts'

const text = { key: serdes.string, value: serdes.string }
const noProcessor = (): { process(): void } => ({ process() {} })

const refusals: readonly (readonly [what: string, build: (builder: StreamsBuilder) => void, message: RegExp])[] = [
  ['a source without serdes', b => b.stream('a').to('b', text), /^stream at \S+: no serde is known for the keys of topic a\. Give \{ key: serdes\.… \}/],
  ['a source without value serde', b => b.stream('a', { key: serdes.string }).to('b', text), /^stream at \S+: no serde is known for the values of topic a/],
  ['a global table without serdes', b => b.globalTable('g'), /^globalTable at \S+: no serde is known for the keys of topic g|globalTable at \S+: no serde is known for the values of store g/],
  ['a sink whose values changed', b => b.stream('a', text).mapValues(value => value.length).to('b'), /^to at \S+: no serde is known for the values of topic b/],
  ['a repartition whose values changed', b => b.stream('a', text).map((key, value) => [key, value.length]).groupByKey().reduce(sum), /^reduce at \S+: no serde is known for the values of/],
  ['an aggregate without value serde', b => b.stream('a', text).groupByKey().aggregate({ initializer: () => 0, aggregator: () => 1 }), /^aggregate at \S+: no serde is known for the values of store a\.groupByKey\.aggregate/],
  ['a topic read as stream and table', b => { b.stream('a', text); b.table('a', text) }, /^table at \S+: topic a is read already, by stream at \S+refusals\.test\.ts:\d+\./],
  ['a topic read as table and stream', b => { b.table('a', text); b.stream('a', text) }, /^stream at \S+: topic a is read already, by table at/],
  ['a topic read as a table twice', b => { b.table('a', text); b.table('a', text) }, /^table at \S+: topic a is read already/],
  ['a topic read as a global table and a stream', b => { b.globalTable('a', text); b.stream('a', text) }, /^stream at \S+: topic a is read already, by globalTable/],
  ['sources that overlap', b => { b.stream(['a', 'b'], text); b.stream('a', text) }, /^stream at \S+: topic a is read already.*exactly the same topics/],
  ['one topic with two serdes', b => { b.stream('a', text); b.stream('a', { ...text, value: serdes.bytes }) }, /^stream at \S+: a is read already, by stream at \S+, with another value/],
  ['no topic', b => b.stream([], text), /^stream at \S+: no topic is given/],
  ['a bad topic name', b => b.stream('a b', text), /^stream at \S+: the topic name "a b" is not allowed/],
  ['a bad operator name', b => b.stream('a', text).filter(() => true, { name: 'a$b' }), /^filter at \S+: the name "a\$b" is not allowed/],
  ['a bad store name', b => b.stream('a', text).groupByKey().count({ store: 'a/b' }), /^count at \S+: the store name "a\/b" is not allowed/],
  ['a name too long', b => b.stream('a', text).groupByKey().count({ store: 'x'.repeat(201) }), /^count at \S+: the store name "x+…" is not allowed/],
  ['two operators of one name', b => { const a = b.stream('a', text); a.filter(() => true, { name: 'F' }); a.filterNot(() => true, { name: 'F' }) }, /^filterNot at \S+: the operator F exists already, made by filter at/],
  ['two stores of one name', b => { const a = b.stream('a', text).groupByKey(); a.count({ store: 'C' }); a.reduce(sum, { store: 'C' }) }, /^reduce at \S+: the store C exists already, made by count at/],
  ['a processor store called like a table store', b => { b.stream('a', text).groupByKey().count({ store: 'C' }); b.addStore(keyValueStore('C', text)) }, /^addStore at \S+: the store C exists already/],
  ['two groupings of one name', b => { const a = b.stream('a', text); a.groupBy(k => k, { name: 'G' }).count({ store: 'x' }); a.groupBy(k => k, { name: 'G' }).count({ store: 'y' }) }, /G exists already/],
  ['two joins of one name', b => { const a = b.stream('a', text), t = b.table('t', text); a.join(t, l => l, { name: 'J' }); a.leftJoin(t, l => l, { name: 'J' }) }, /^leftJoin at \S+: the operator J exists already/],
  ['an unknown store', b => b.stream('a', text).process(noProcessor, { stores: ['nope'] }), /^process at \S+: there is no store nope\. There is none yet/],
  ['an unknown store beside known ones', b => { b.table('t', { ...text, store: 'rows' }); b.stream('a', text).processValues(noProcessor, { stores: ['row'] }) }, /there is no store row\. There are: rows\./],
  ['a retention below size and grace', b => b.stream('a', text).groupByKey().windowedBy(tumbling(10, { grace: 5 })).count({ store: { retention: 14 } }), /^count at \S+: the store keeps windows for 14 ms, but they take records for 15 ms/],
  ['no branch', b => b.stream('a', text).split({}), /^split at \S+: no branch is given/],
  ['branches that are numbers', b => b.stream('a', text).split({ 2: () => true }), /^split at \S+: the branch name 2 is a number/],
  ['a default branch called like another', b => b.stream('a', text).split({ x: () => true }, { default: 'x' }), /^split at \S+: two branches are called x/],
  ['half a partition', b => b.stream('a', text).repartition({ partitions: 0.5 }), /^repartition at \S+: a topic cannot have 0\.5 partitions/],
  ['joined repartitions of different counts', b => {
    const left = b.stream('a', text).repartition({ name: 'L', partitions: 2 })
    left.join(b.stream('b', text).repartition({ name: 'R', partitions: 3 }).toTable(), l => l)
  }, /^repartition at \S+: topics that are joined must have equally many partitions, but L has 2 and R has 3/],
  ['a repartition called like a topic that is read', b => b.stream('a', text).repartition({ name: 'a', partitions: 2 }), /^repartition at \S+: the repartition topic a has the name of a topic that is read/],
  ['a table of another builder', b => b.stream('a', text).join(new StreamsBuilder().table('t', text), l => l), /^join at \S+: the two sides belong to different builders/],
]

test.each(refusals)('%s', (_, draw, message) => {
  const builder = new StreamsBuilder()
  expect(() => {
    draw(builder)
    builder.build()
  }).toThrow(expect.objectContaining({ name: 'MillraceError', code: 'TOPOLOGY', message: expect.stringMatching(message), hint: expect.any(String) }))
})

test('the line is the one of the call', () => {
  const builder = new StreamsBuilder()
  const { stack } = new Error()
  builder.stream('a', text).mapValues(value => value.length)
    .to('b')
  const line = Number(/refusals\.test\.ts:(\d+)/.exec(stack!)![1])
  expect(() => builder.build()).toThrow(`to at test/dsl/refusals.test.ts:${line + 2}: `)
})

function sum<T>(aggregate: T, value: T): T {
  return aggregate ?? value
}
