// Clients of others where a broker asks who they are: SASL and TLS of each, and Apache Kafka's tools for users and rules.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificates } from '../broker/security/certificates.ts'
import { javaArguments } from './apache-kafka.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { buildGoClients, goClientNames, whyNoGo, type GoClients } from './go-clients.ts'
import { npmClients } from './npm-clients.ts'
import { runProgram } from './program.ts'

const PYTHON = '/usr/bin/python3'
const password = 'wonder "land", =1'
const jaas = `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="wonder \\"land\\", =1" user_root="root";`
const bytes = '300000\n'

const certificates = makeCertificates()
const directory = mkdtempSync(join(tmpdir(), 'millrace-secure-'))
const brokers: FileBroker[] = []
let plain: FileBroker
let secure: FileBroker
let mutual: FileBroker
let ruled: FileBroker

beforeAll(async () => {
  const logins = { 'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512', 'plain.sasl.jaas.config': jaas }
  const tls = { 'ssl.keystore.certificate.chain': readFileSync(certificates.brokerCert, 'utf8'), 'ssl.keystore.key': readFileSync(certificates.brokerKey, 'utf8') }
  for (const settings of [
    logins, { ...logins, ...tls }, { ...tls, 'ssl.truststore.location': certificates.ca, 'ssl.client.auth': 'required' },
    { ...logins, 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users': 'User:root' },
  ]) brokers.push(await startFileBroker(settings))
  ;[plain, secure, mutual, ruled] = brokers as [FileBroker, FileBroker, FileBroker, FileBroker]
})
afterAll(async () => {
  for (const broker of brokers) await broker[Symbol.asyncDispose]()
  certificates[Symbol.dispose]()
  rmSync(directory, { recursive: true })
})

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

/** Of librdkafka. */
const login = (mechanism: string, word = password) => ({ 'sasl.mechanisms': mechanism, 'sasl.username': 'alice', 'sasl.password': word })
const trust = { 'ssl.ca.location': certificates.ca }
const certificate = { 'ssl.certificate.location': certificates.clientCert, 'ssl.key.location': certificates.clientKey }

describe('kcat', () => {
  const kcat = async (broker: FileBroker, properties: Readonly<Record<string, string>>, args: readonly string[], input = ''): Promise<string> => {
    const set = Object.entries(properties).flatMap(([name, value]) => ['-X', `${name}=${value}`])
    return (await runProgram('kcat', ['-b', broker.bootstrap, ...set, '-m', '5', ...args], { input, env: { KCAT_CONFIG: '/dev/null' }, hint: 'Debian: apt-get install kcat' })).toString()
  }

  test.each([
    ...mechanisms.flatMap(mechanism => [[`${mechanism} in the clear`, () => plain, { 'security.protocol': 'SASL_PLAINTEXT', ...login(mechanism) }] as const, [`${mechanism} over TLS`, () => secure, { 'security.protocol': 'SASL_SSL', ...trust, ...login(mechanism) }] as const]),
    ['a certificate', () => mutual, { 'security.protocol': 'SSL', ...trust, ...certificate }] as const,
  ])('writes and reads with %s', async (_, broker, properties) => {
    const topic = `kcat-${Object.values(properties).filter(value => /^[A-Z0-9_-]+$/.test(value)).join('-')}`
    await kcat(broker(), properties, ['-P', '-t', topic], 'hello\n')
    expect(await kcat(broker(), properties, ['-C', '-t', topic, '-o', 'beginning', '-e', '-q'])).toBe('hello\n')
  })

  test('with another password hears what is wrong', async () => {
    await expect(kcat(plain, { 'security.protocol': 'SASL_PLAINTEXT', ...login('SCRAM-SHA-256', 'no') }, ['-L'])).rejects.toThrow('invalid credentials')
  })
})

describe.each(['confluent', 'kafka-python'])('%s', client => {
  const python = async (broker: FileBroker, topic: string, settings: object): Promise<string> =>
    (await runProgram(PYTHON, ['-B', join(import.meta.dirname, 'clients', 'secure.py'), client, broker.bootstrap, topic], { input: JSON.stringify(settings), hint: 'Debian: apt-get install python3-confluent-kafka python3-kafka' })).toString()
  const settingsOf = (protocol: string, mechanism: string | null, word = password): object => client === 'confluent'
    ? { 'security.protocol': protocol, ...(mechanism === null ? certificate : login(mechanism, word)), ...(protocol.endsWith('SSL') ? trust : {}) }
    : {
        security_protocol: protocol, ssl_cafile: certificates.ca,
        ...(mechanism === null ? { ssl_certfile: certificates.clientCert, ssl_keyfile: certificates.clientKey } : { sasl_mechanism: mechanism, sasl_plain_username: 'alice', sasl_plain_password: word }),
      }

  test.each(mechanisms)('%s', async mechanism => {
    expect(await python(plain, `${client}-${mechanism}`, settingsOf('SASL_PLAINTEXT', mechanism))).toBe(bytes)
    expect(await python(secure, `${client}-${mechanism}`, settingsOf('SASL_SSL', mechanism))).toBe(bytes)
  })

  test('a certificate', async () => {
    expect(await python(mutual, client, settingsOf('SSL', null))).toBe(bytes)
  })

  test('another password does not let in', async () => {
    await expect(python(plain, `${client}-no`, settingsOf('SASL_PLAINTEXT', 'PLAIN', 'no'))).rejects.toThrow(/Authentication failed|NoBrokersAvailable/)
  })

  test.skipIf(client === 'kafka-python')('a topic that one may not write to is refused by its name', async () => {
    await expect(python(ruled, `${client}-secret`, settingsOf('SASL_PLAINTEXT', 'PLAIN'))).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED')
  })
})

describe.each(['kafkajs', 'platformatic'])('%s', client => {
  const javascript = async (broker: FileBroker, topic: string, settings: object): Promise<string> => {
    const MODULES = await npmClients(['kafkajs@2.2.4', '@platformatic/kafka@1.35.0'])
    return (await runProgram(process.execPath, ['--no-warnings', join(import.meta.dirname, 'clients', 'secure.mjs'), client, broker.bootstrap, topic], { input: JSON.stringify(settings), env: { MODULES } })).toString()
  }
  const ca = readFileSync(certificates.ca, 'utf8')
  const sasl = (mechanism: string, word = password): object => ({ sasl: { mechanism: client === 'kafkajs' ? mechanism.toLowerCase() : mechanism, username: 'alice', password: word } })
  const tls = (options: object): object => (client === 'kafkajs' ? { ssl: options } : { tls: options })

  test.each(mechanisms)('%s', async mechanism => {
    expect(await javascript(plain, `${client}-${mechanism}`, sasl(mechanism))).toBe(bytes)
    expect(await javascript(secure, `${client}-${mechanism}`, { ...sasl(mechanism), ...tls({ ca: [ca] }) })).toBe(bytes)
  })

  test('a certificate', async () => {
    expect(await javascript(mutual, client, tls({ ca: [ca], cert: readFileSync(certificates.clientCert, 'utf8'), key: readFileSync(certificates.clientKey, 'utf8') }))).toBe(bytes)
  })

  test('another password does not let in', async () => {
    await expect(javascript(plain, `${client}-no`, sasl('SCRAM-SHA-256', 'no'))).rejects.toThrow(/SASL|credentials/)
  })
})

const noGo = await whyNoGo()
describe.skipIf(noGo !== null)(`Go's clients${noGo === null ? '' : ` (${noGo})`}`, () => {
  let programs: GoClients
  beforeAll(async () => {
    programs = await buildGoClients()
  })
  afterAll(() => programs?.[Symbol.dispose]())

  test.each(goClientNames.flatMap(client => mechanisms.map(mechanism => [client, mechanism] as const)))('%s %s', async (client, mechanism) => {
    const topic = `${client}-${mechanism}`
    expect(await programs.run(client, 'secure', plain.bootstrap, topic, mechanism, 'alice', password)).toBe(bytes)
    expect(await programs.run(client, 'secure', secure.bootstrap, topic, mechanism, 'alice', password, certificates.ca)).toBe(bytes)
  })

  // franz-go tries again until its time is up.
  test.each(['sarama', 'kafka-go'] as const)('%s is not let in with another password', async client => {
    await expect(programs.run(client, 'secure', plain.bootstrap, `${client}-no`, 'SCRAM-SHA-256', 'alice', 'no')).rejects.toThrow(/SASL|credentials/i)
  })
})

describe("Apache Kafka's tools", () => {
  const tools = { acls: 'org.apache.kafka.tools.AclCommand', configs: 'kafka.admin.ConfigCommand', producer: 'org.apache.kafka.tools.ConsoleProducer', consumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer', topics: 'org.apache.kafka.tools.TopicCommand' } as const
  const run = async (broker: FileBroker, tool: keyof typeof tools, config: string, args: readonly string[], input = ''): Promise<string> =>
    (await runProgram('java', [...javaArguments(tools[tool]), '--bootstrap-server', broker.bootstrap, '--command-config', config, ...args], { input })).toString()
  const properties = (name: string, lines: Readonly<Record<string, string>>): string => {
    const file = join(directory, name)
    writeFileSync(file, Object.entries(lines).map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`).join(''))
    return file
  }
  const scram = (user: string, word: string): string => properties(`${user}.properties`, {
    'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="${user}" password="${word}";`,
  })

  test('kafka-configs makes a user, kafka-acls says what it may do, and both hold at once', async () => {
    const root = scram('root', 'root')
    await run(ruled, 'configs', root, ['--alter', '--add-config', 'SCRAM-SHA-512=[iterations=8192,password=bob-secret]', '--entity-type', 'users', '--entity-name', 'bob'])
    expect(await run(ruled, 'configs', root, ['--describe', '--entity-type', 'users', '--entity-name', 'bob'])).toContain('SCRAM-SHA-512=iterations=8192')
    const bob = scram('bob', 'bob-secret')
    await run(ruled, 'topics', root, ['--create', '--topic', 'bobs'])
    await run(ruled, 'topics', root, ['--create', '--topic', 'roots'])
    expect((await run(ruled, 'topics', bob, ['--list'])).trim()).toBe('')
    const given = await run(ruled, 'acls', root, ['--add', '--allow-principal', 'User:bob', '--producer', '--consumer', '--topic', 'bob', '--resource-pattern-type', 'prefixed', '--group', '*', '--force'])
    expect(given).toContain('operation=WRITE, permissionType=ALLOW')
    expect((await run(ruled, 'topics', bob, ['--list'])).trim()).toBe('bobs')
    await run(ruled, 'producer', bob, ['--topic', 'bobs'], 'hello\n')
    // It says so and ends well.
    expect(await run(ruled, 'consumer', bob, ['--topic', 'roots', '--from-beginning', '--timeout-ms', '5000'])).toContain('Not authorized to access topics: [roots]')
    const listed = await run(ruled, 'acls', root, ['--list', '--topic', 'bobs', '--resource-pattern-type', 'match'])
    expect(listed).toMatch(/patternType=PREFIXED[^]*principal=User:bob, host=\*, operation=READ, permissionType=ALLOW/)
    await run(ruled, 'acls', root, ['--remove', '--allow-principal', 'User:bob', '--operation', 'Read', '--group', '*', '--force'])
    expect(await run(ruled, 'consumer', bob, ['--topic', 'bobs', '--group', 'g', '--from-beginning', '--timeout-ms', '5000'])).toContain('Not authorized to access group: g')
    await expect(run(ruled, 'acls', bob, ['--list'])).rejects.toThrow('ClusterAuthorizationException')
    await run(ruled, 'configs', root, ['--alter', '--delete-config', 'SCRAM-SHA-512', '--entity-type', 'users', '--entity-name', 'bob'])
    await expect(run(ruled, 'topics', bob, ['--list'])).rejects.toThrow('SaslAuthenticationException')
  }, 180_000)

  test('stores that keytool has made serve the broker and its clients', async () => {
    const store = (name: string): string => join(directory, name)
    const keytool = (...args: string[]) => runProgram('keytool', [...args, '-storepass', 'changeit'], { hint: 'It comes with the JDK.' })
    for (const [name, cert, key] of [['broker', certificates.brokerCert, certificates.brokerKey], ['client', certificates.clientCert, certificates.clientKey]] as const) {
      await runProgram('openssl', ['pkcs12', '-export', '-name', name, '-in', cert, '-inkey', key, '-certfile', certificates.ca, '-passout', 'pass:changeit', '-out', store(`${name}.openssl`)])
      await keytool('-importkeystore', '-srckeystore', store(`${name}.openssl`), '-srcstoretype', 'PKCS12', '-srcstorepass', 'changeit', '-destkeystore', store(`${name}.p12`), '-deststoretype', 'PKCS12')
    }
    await keytool('-importcert', '-noprompt', '-alias', 'ca', '-file', certificates.ca, '-keystore', store('trust.p12'), '-storetype', 'PKCS12')
    const trusted = { 'ssl.truststore.type': 'PKCS12', 'ssl.truststore.location': store('trust.p12'), 'ssl.truststore.password': 'changeit' }
    const kept = (name: string) => ({ 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': store(`${name}.p12`), 'ssl.keystore.password': 'changeit', 'ssl.key.password': 'changeit' })
    await using broker = await startFileBroker({ ...kept('broker'), ...trusted, 'ssl.client.auth': 'required' })
    const client = properties('p12.properties', { 'security.protocol': 'SSL', ...trusted, ...kept('client') })
    await run(broker, 'producer', client, ['--topic', 'java'], 'hello\n')
    expect(await run(broker, 'consumer', client, ['--topic', 'java', '--from-beginning', '--max-messages', '1', '--timeout-ms', '20000'])).toBe('hello\n')
    const onBroker = ['--entity-type', 'brokers', '--entity-name', '1']
    const location = 'listener.name.ssl.ssl.keystore.location'
    expect(await run(broker, 'configs', client, ['--alter', ...onBroker, '--add-config', `${location}=${store('client.p12')}`])).toContain('Completed updating config for broker 1.')
    // The certificate is another's from now on, but of the same machine.
    expect(await run(broker, 'configs', client, ['--describe', ...onBroker])).toContain(`${location}=${store('client.p12')}`)
    await expect(run(broker, 'configs', client, ['--alter', ...onBroker, '--add-config', `${location}=${store('trust.p12')}`])).rejects.toThrow('has no private key with its certificate')
  }, 120_000)

  test('the console producer and consumer show their certificates', async () => {
    const pem = properties('pem.properties', {
      'security.protocol': 'SSL', 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': certificates.ca, 'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': readFileSync(certificates.clientCert, 'utf8'), 'ssl.keystore.key': readFileSync(certificates.clientKey, 'utf8'),
    })
    await run(mutual, 'producer', pem, ['--topic', 'java'], 'hello\n')
    expect(await run(mutual, 'consumer', pem, ['--topic', 'java', '--from-beginning', '--max-messages', '1', '--timeout-ms', '20000'])).toBe('hello\n')
  }, 60_000)
})
