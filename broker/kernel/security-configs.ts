// The settings of a broker that concern who may connect, how, and how much of it one client may take.

import { maxInt, type ConfigDefinition } from './config-definition.ts'

export const securityConfigs: readonly ConfigDefinition[] = [
  { name: 'allow.everyone.if.no.acl.found', type: 'boolean', default: 'false', readOnly: true, documentation: 'Whether everybody may do everything to a resource that no ACL mentions; only with an authorizer.' },
  { name: 'authorizer.class.name', type: 'string', default: '', oneOf: ['', 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'], readOnly: true, documentation: 'Whether ACLs say who may do what; empty: everybody may do everything.' },
  { name: 'connection.failed.authentication.delay.ms', type: 'int', default: '100', min: 0, readOnly: true, documentation: 'How long a failed authentication waits for its answer, milliseconds.' },
  { name: 'connections.max.idle.ms', type: 'long', default: '600000', min: 1, readOnly: true, documentation: 'A connection without a request for so long is closed, milliseconds.' },
  { name: 'max.connections', type: 'int', default: '10000', min: 0, readOnly: true, documentation: 'Most connections at a time. Kafka: 2147483647.' },
  { name: 'max.connections.per.ip', type: 'int', default: String(maxInt), min: 0, readOnly: true, documentation: 'Most connections of one address at a time.' },
  { name: 'millrace.authentication.timeout.ms', type: 'int', default: '30000', min: 1, readOnly: true, documentation: 'How long a client may take to say who it is, milliseconds.' },
  { name: 'millrace.connection.max.request.bytes', type: 'int', default: '4194304', min: 1, readOnly: true, documentation: 'Bytes of requests of one connection that wait or are answered; beyond, it is not read until some are done.' },
  { name: 'millrace.connection.max.requests', type: 'int', default: '16', min: 1, readOnly: true, documentation: 'Requests of one connection that wait or are answered; beyond, it is not read until some are done.' },
  { name: 'millrace.users.file', type: 'string', default: null, readOnly: true, documentation: 'A file of users, one NAME:PASSWORD a line; they log in by PLAIN and SCRAM as long as it names them.' },
  { name: 'plain.sasl.jaas.config', type: 'password', default: null, readOnly: true, documentation: 'Users as Kafka names them: PlainLoginModule required user_NAME="PASSWORD"; they log in by PLAIN and SCRAM.' },
  { name: 'queued.max.request.bytes', type: 'long', default: '268435456', min: -1, readOnly: true, documentation: 'Bytes of requests of all connections; beyond, no connection is read until there is room; -1: no limit. Kafka: -1.' },
  { name: 'sasl.enabled.mechanisms', type: 'list', default: '', oneOf: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], readOnly: true, documentation: 'How clients say who they are; empty: they need not. Kafka: GSSAPI.' },
  { name: 'sasl.server.max.receive.size', type: 'int', default: '524288', min: 1, readOnly: true, documentation: 'Largest request of a client that has not said who it is.' },
  { name: 'ssl.client.auth', type: 'string', default: 'none', oneOf: ['none', 'requested', 'required'], readOnly: true, documentation: 'Whether clients show certificates.' },
  { name: 'ssl.key.password', type: 'password', default: null, readOnly: true, documentation: 'Password of the private key.' },
  { name: 'ssl.keystore.certificate.chain', type: 'password', default: null, readOnly: true, documentation: "The broker's certificate and those it stands on, PEM. Clients then connect with TLS." },
  { name: 'ssl.keystore.key', type: 'password', default: null, readOnly: true, documentation: "The broker's private key, PEM." },
  { name: 'ssl.keystore.location', type: 'string', default: null, readOnly: true, documentation: 'A PEM file with key and certificates, instead of their text.' },
  { name: 'ssl.keystore.type', type: 'string', default: 'PEM', oneOf: ['PEM'], readOnly: true, documentation: 'Format of the key store. Kafka: JKS.' },
  { name: 'ssl.principal.mapping.rules', type: 'string', default: 'DEFAULT', readOnly: true, documentation: 'What the owner of a certificate is called: RULE:PATTERN/REPLACEMENT/[LU], several with commas between; DEFAULT is the name on it.' },
  { name: 'ssl.truststore.certificates', type: 'password', default: null, readOnly: true, documentation: "Who may sign clients' certificates, PEM." },
  { name: 'ssl.truststore.location', type: 'string', default: null, readOnly: true, documentation: 'The same as a PEM file.' },
  { name: 'ssl.truststore.type', type: 'string', default: 'PEM', oneOf: ['PEM'], readOnly: true, documentation: 'Format of the trust store. Kafka: JKS.' },
  { name: 'super.users', type: 'string', default: '', readOnly: true, documentation: 'Who may do everything whatever the ACLs say: User:alice;User:bob.' },
]

/** Kafka sets up each listener apart, as in `listener.name.internal.ssl.client.auth`; there is one here. */
export function withoutListener(name: string): string {
  const bare = name.replace(/^listener\.name\.[^.]+\./, '')
  return securityConfigs.some(definition => definition.name === bare) ? bare : name
}
