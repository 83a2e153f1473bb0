// Addresses: what is understood, what is refused, and what clients hear.

import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { advertisedEndpoint, listenAddress } from '../../../broker/server/listen-address.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'

test.each([
  ['127.0.0.1:9092', '127.0.0.1', 9092],
  ['localhost:0', 'localhost', 0],
  ['9404', '127.0.0.1', 9404],
  [':9092', '127.0.0.1', 9092],
  ['[::1]:9092', '::1', 9092],
  ['0.0.0.0:65535', '0.0.0.0', 65535],
])('to listen at %s is %s, port %i', (text, host, port) => {
  expect(listenAddress(text)).toEqual({ host, port })
})

test.each(['', 'localhost', 'localhost:', 'localhost:x', 'localhost:65536', '1:2:3', '::1', 'a b:1', '70000'])('to listen at %j is refused', text => {
  expect(() => listenAddress(text)).toThrow('which is not host:port')
})

test.each([
  ['', '127.0.0.1', '127.0.0.1:9092'],
  ['', '0.0.0.0', `${hostname()}:9092`],
  ['kafka.example.com', '0.0.0.0', 'kafka.example.com:9092'],
  ['localhost:29092', '0.0.0.0', 'localhost:29092'],
  ['PLAINTEXT://broker:19092', '::', 'broker:19092'],
  ['PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093', '127.0.0.1', 'localhost:9092'],
  ['CONTROLLER://localhost:9093, OUTSIDE://a.example.com:19092', '127.0.0.1', 'a.example.com:19092'],
  ['SASL_SSL://[fe80::1]:19092', '0.0.0.0', 'fe80::1:19092'],
])('advertised.listeners=%s while listening on %s tells clients %s', async (advertised, host, expected) => {
  const endpoint = await advertisedEndpoint(advertised, { host, port: 9092 })
  expect(`${endpoint.host}:${endpoint.port}`).toBe(expected)
})

test.each(['0.0.0.0:9092', 'CONTROLLER://a:1', 'PLAINTEXT://:9092', 'a:0', 'http://a/b'])('advertised.listeners=%s is refused', async advertised => {
  await expect(advertisedEndpoint(advertised, { host: '0.0.0.0', port: 9092 })).rejects.toMatchObject({ code: 'BAD_SETTING' })
  await expect(startBroker({ memory: true, listen: '127.0.0.1:0', settings: { 'advertised.listeners': advertised } })).rejects.toMatchObject({ code: 'BAD_SETTING' })
})

test('clients hear what is advertised, from Metadata and FindCoordinator alike', async () => {
  await using broker = await startBroker({ memory: true, listen: '127.0.0.1:0', settings: { 'advertised.listeners': 'localhost:29092' } })
  const channel = broker.connect()
  expect((await channel.request('Metadata', { topics: [] })).brokers).toMatchObject([{ host: 'localhost', port: 29092 }])
  expect((await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })).coordinators).toMatchObject([{ host: 'localhost', port: 29092 }])
  expect(broker.address!.host).toBe('127.0.0.1')
})
