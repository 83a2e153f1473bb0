// The newest Python clients of PyPI on a Millrace broker on files: aiokafka, confluent-kafka (librdkafka) and kafka-python. Skipped, saying why, where PyPI is out of reach.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificates } from '../broker/security/certificates.ts'
import { clientLaws } from './client-laws.ts'
import { newestPythonClient } from './client-programs.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { aiokafkaTransactionLaws, newestClientLaws } from './newest-client-laws.ts'
import { runProgram } from './program.ts'
import { pypiClients } from './pypi-clients.ts'

const PROGRAMS = ['aiokafka-story.py', 'confluent.py', 'kafka-python.py', 'confluent-newest.py'] as const
const clients = pypiClients()

describe.skipIf(typeof clients === 'string')('the newest of PyPI', () => {
  let broker: FileBroker
  let stories: ReadonlyMap<string, Promise<string>>
  beforeAll(async () => {
    if (typeof clients === 'string') return
    broker = await startFileBroker()
    // They mostly wait, so all of them run at once.
    stories = new Map(PROGRAMS.map(program => [program, newestPythonClient(clients, program, broker.bootstrap, program.replace('.py', ''))]))
    await Promise.allSettled(stories.values())
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  describe('aiokafka', () => {
    clientLaws(() => stories.get('aiokafka-story.py')!)
    aiokafkaTransactionLaws(() => stories.get('aiokafka-story.py')!)
  })
  describe('confluent-kafka', () => {
    clientLaws(() => stories.get('confluent.py')!)
  })
  describe('confluent-kafka, beyond what Debian\'s can', () => {
    newestClientLaws(() => stories.get('confluent-newest.py')!)
  })
  describe('kafka-python', () => {
    clientLaws(() => stories.get('kafka-python.py')!)
  })
})

describe.skipIf(typeof clients === 'string')('the newest of PyPI, where a broker asks who they are', () => {
  const certificates = makeCertificates()
  let broker: FileBroker
  beforeAll(async () => {
    broker = await startFileBroker({
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512', 'plain.sasl.jaas.config': 'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="wonderland";',
      'ssl.keystore.certificate.chain': readFileSync(certificates.brokerCert, 'utf8'), 'ssl.keystore.key': readFileSync(certificates.brokerKey, 'utf8'),
    })
  })
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]()
    certificates[Symbol.dispose]()
  })

  test.each(['confluent', 'kafka-python', 'aiokafka'])('%s goes in with each mechanism over TLS, and not with another password', async client => {
    if (typeof clients === 'string') return
    const { python, folder } = clients
    const run = (mechanism: string, password: string): Promise<string> => {
      const settings = client === 'confluent'
        ? { 'security.protocol': 'SASL_SSL', 'ssl.ca.location': certificates.ca, 'sasl.mechanisms': mechanism, 'sasl.username': 'alice', 'sasl.password': password }
        : { security_protocol: 'SASL_SSL', ssl_cafile: certificates.ca, sasl_mechanism: mechanism, sasl_plain_username: 'alice', sasl_plain_password: password }
      const program = join(import.meta.dirname, 'clients', 'secure.py')
      return runProgram(python, ['-B', program, client, broker.bootstrap, `${client}-${mechanism}`], { input: JSON.stringify(settings), env: { PYTHONPATH: folder } }).then(String)
    }
    const told = await Promise.all(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].map(mechanism => run(mechanism, 'wonderland')))
    expect(told).toEqual(['300000\n', '300000\n', '300000\n'])
    // Version 3.0 of kafka-python tries again for half a minute, and does not say what is wrong.
    if (client !== 'kafka-python') await expect(run('SCRAM-SHA-256', 'no')).rejects.toThrow(/uthentication/)
  })
})

if (typeof clients === 'string') {
  test('the newest of PyPI', ({ skip }) => {
    skip(clients)
  })
}
