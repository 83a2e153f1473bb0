// Python's clients on a Millrace broker on files: confluent-kafka (librdkafka) and kafka-python.

import { afterAll, beforeAll, describe } from 'vitest'
import { clientLaws } from './client-laws.ts'
import { pythonClient } from './client-programs.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'

let broker: FileBroker
beforeAll(async () => {
  broker = await startFileBroker()
})
afterAll(() => broker?.[Symbol.asyncDispose]())

describe('confluent-kafka', () => {
  clientLaws(() => pythonClient('confluent.py', broker.bootstrap, 'confluent'))
})
describe('kafka-python', () => {
  clientLaws(() => pythonClient('kafka-python.py', broker.bootstrap, 'kafka-python'))
})
