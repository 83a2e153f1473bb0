// JavaScript's clients on a Millrace broker on files: kafkajs (old versions of the protocol) and @platformatic/kafka (new ones only).

import { afterAll, beforeAll, describe } from 'vitest'
import { clientLaws } from './client-laws.ts'
import { javascriptClient } from './client-programs.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'

let broker: FileBroker
beforeAll(async () => {
  broker = await startFileBroker()
})
afterAll(() => broker?.[Symbol.asyncDispose]())

describe('kafkajs', () => {
  clientLaws(() => javascriptClient('kafkajs.mjs', broker.bootstrap, 'kafkajs'))
})
describe('@platformatic/kafka', () => {
  clientLaws(() => javascriptClient('platformatic.mjs', broker.bootstrap, 'platformatic'))
})
