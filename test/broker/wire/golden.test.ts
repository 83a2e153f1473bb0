// Every message at every version, byte for byte as Apache Kafka's own classes write it (captured by test/interop/java/capture-golden.ts).

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { ByteReader } from '../../../broker/wire/byte-reader.ts'
import { ByteWriter } from '../../../broker/wire/byte-writer.ts'
import { codecOf } from '../../../broker/wire/codec.ts'
import { everyMessage, type Body } from './arbitrary-message.ts'
import { toKafkaJson } from './kafka-json.ts'

interface GoldenRow {
  readonly name: string
  readonly version: number
  readonly body: unknown
  readonly hex: string
}

const file = new URL('golden/kafka-clients-4.3.1.ndjson.gz', import.meta.url)
const rows = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n').map(line => JSON.parse(line) as GoldenRow)

test.each(everyMessage().map(({ description, version }) => [`${description.name} ${version}`, description, version] as const))('%s', (_, description, version) => {
  const golden = rows.filter(row => row.name === description.name && row.version === version)
  expect(golden.length).toBeGreaterThan(0)
  for (const { body, hex } of golden) {
    const codec = codecOf(description, version)
    const read = codec.read(new ByteReader(Buffer.from(hex, 'hex'))) as Body
    expect(toKafkaJson(description, version, read)).toEqual(body)
    const writer = new ByteWriter()
    codec.write(writer, read as never)
    expect(Buffer.concat(writer.finish()).toString('hex')).toBe(hex)
  }
})
