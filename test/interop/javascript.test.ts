// JavaScript's clients on a Millrace broker on files: kafkajs (old versions of the protocol) and @platformatic/kafka (new ones only).

import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { clientLaws } from './client-laws.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { npmClients } from './npm-clients.ts'
import { runProgram } from './program.ts'

let broker: FileBroker
let MODULES: string
beforeAll(async () => {
  broker = await startFileBroker()
  MODULES = await npmClients(['kafkajs@2.2.4', '@platformatic/kafka@1.35.0'])
})
afterAll(() => broker?.[Symbol.asyncDispose]())

describe('kafkajs', () => {
  clientLaws(() => javascript('kafkajs.mjs', 'kafkajs'))
})
describe('@platformatic/kafka', () => {
  clientLaws(() => javascript('platformatic.mjs', 'platformatic'))
})

async function javascript(program: string, topic: string): Promise<string> {
  const output = await runProgram(process.execPath, ['--no-warnings', join(import.meta.dirname, 'clients', program), broker.bootstrap, topic], { env: { MODULES } })
  return output.toString()
}
