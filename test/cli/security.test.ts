// `millrace broker` that asks who its clients are, and commands that say so.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeCertificates } from '../broker/security/certificates.ts'
import { millrace, startMillrace, temporaryDirectory } from './command.ts'

function properties(directory: string, user: string, more = ''): string {
  const file = join(directory, `${user}.properties`)
  writeFileSync(file, `security.protocol=SASL_${more === '' ? 'PLAINTEXT' : 'SSL'}\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  username="${user}" password="${user} secret";\n${more}`)
  return file
}

test('users from a file, rules, and TLS: who may, does; who may not, hears why', async () => {
  const directory = temporaryDirectory()
  const certificates = makeCertificates()
  try {
    const users = join(directory, 'users')
    writeFileSync(users, 'root:root secret\nalice:alice secret\n', { mode: 0o600 })
    const broker = startMillrace(['broker', '--listen', '127.0.0.1:0', '--data', join(directory, 'data'), '--users', users, '--authorizer', '--super-users', 'User:root', '--tls-cert', certificates.brokerCert, '--tls-key', certificates.brokerKey])
    const [, port] = await broker.until('stdout', /^127\.0\.0\.1:(\d+)\n/)
    const trust = `ssl.truststore.type=PEM\nssl.truststore.location=${certificates.ca}\n`
    const at = (user: string): string[] => ['--bootstrap', `127.0.0.1:${port}`, '--command-config', properties(directory, user, trust)]
    expect(await millrace(['topics', 'create', 'mine', ...at('root')])).toMatchObject({ status: 0 })
    expect(await millrace(['produce', 'mine', '--format', 'text', ...at('root')], 'hello\n')).toMatchObject({ status: 0 })
    expect(await millrace(['consume', 'mine', '--format', 'text', '--from-beginning', '--until-end', ...at('root')])).toMatchObject({ status: 0, stdout: 'hello\n' })
    expect(await millrace(['topics', 'list', ...at('alice')])).toMatchObject({ status: 0, stdout: '' })
    const refused = await millrace(['topics', 'create', 'yours', ...at('alice')])
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('TOPIC_AUTHORIZATION_FAILED') as string })
    expect(await millrace(['topics', 'list', ...at('mallory')])).toMatchObject({ status: 1, stderr: expect.stringContaining('SASL_AUTHENTICATION_FAILED') as string })
    broker.child.kill('SIGTERM')
    expect(await broker.ended).toMatchObject({ status: 0 })
    expect(broker.stderr()).not.toContain('secret')
  } finally {
    certificates[Symbol.dispose]()
  }
}, 60_000)

test('a broker that listens beyond this machine and asks nobody says so', async () => {
  const broker = startMillrace(['broker', '--listen', '0.0.0.0:0', '--data', temporaryDirectory()])
  await broker.until('stderr', /anybody who reaches this address may read and write everything/)
  broker.child.kill('SIGTERM')
  await broker.ended
})

test('options that do not go together are told', async () => {
  expect(await millrace(['broker', '--tls-cert', 'a.pem'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--tls-cert and --tls-key go together') as string })
  expect(await millrace(['topics', 'list', '--command-config', 'x.properties'])).toMatchObject({ status: 2, stderr: expect.stringContaining('no cluster is named') as string })
})
