// Counts the words of a text: every line that comes in updates the counts of its words.

import { StreamsBuilder, serdes } from 'millrace'
import { defineApplication } from 'millrace/runtime'

const builder = new StreamsBuilder()

builder.stream('sentences', { key: serdes.string, value: serdes.string })
  .flatMapValues(sentence => sentence.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [])
  .groupBy((_, word) => word)
  .count({ store: 'counts' })
  .toStream()
  .to('word-counts', { value: serdes.int64 })

export default defineApplication({
  topology: builder.build(),
  inputs: { sentences: { file: 'data/mill.txt' } },
})
