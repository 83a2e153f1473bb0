// Certificates for a test, made by openssl as it runs: an authority, a broker at localhost, a client.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificates extends Disposable {
  /** Paths of PEM files. */
  readonly ca: string
  readonly brokerCert: string
  readonly brokerKey: string
  readonly clientCert: string
  readonly clientKey: string
}

export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  const path = (name: string): string => join(directory, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const signed = (name: string, subject: string): void => {
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', `${name}.pem`, '-extfile', 'names.txt')
  }
  writeFileSync(path('names.txt'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test CA')
  signed('broker', '/CN=localhost')
  signed('client', '/CN=client')
  return {
    ca: path('ca.pem'), brokerCert: path('broker.pem'), brokerKey: path('broker.key'), clientCert: path('client.pem'), clientKey: path('client.key'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export function pem(path: string): string {
  return readFileSync(path, 'utf8')
}
