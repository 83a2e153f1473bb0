// Has Apache Kafka's own classes write every message at every version, and keeps the bytes as golden files: `node tools/run-ts.mjs test/interop/java/capture-golden.ts`.

import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { arbitraryBody, everyMessage } from '../../broker/wire/arbitrary-message.ts'
import { LONG_MAX, toKafkaJson } from '../../broker/wire/kafka-json.ts'
import { runJava } from '../apache-kafka.ts'

const BODIES_PER_MESSAGE = 3
const SEED = 20260101

const rows = everyMessage().flatMap(({ description, version }) =>
  fc.sample(arbitraryBody(description, version), { seed: SEED, numRuns: BODIES_PER_MESSAGE })
    .map(body => ({ name: description.name, version, body: toKafkaJson(description, version, body) })))

const input = rows.map(({ name, version, body }) => `${name}\t${version}\t${JSON.stringify(body).replaceAll(`"${LONG_MAX}"`, LONG_MAX)}\n`).join('')
const bytes = runJava('test/interop/java/WireGolden.java', [], input).trimEnd().split('\n')
const golden = rows.map((row, i) => `${JSON.stringify({ ...row, hex: bytes[i] })}\n`).join('')
writeFileSync('test/broker/wire/golden/kafka-clients-4.3.1.ndjson.gz', gzipSync(golden, { level: 9 }))

writeFileSync('test/broker/wire/golden/kafka-errors-4.3.1.txt', runJava('test/interop/java/KafkaErrors.java', []))
