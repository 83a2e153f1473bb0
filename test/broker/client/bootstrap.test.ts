// How people write where a cluster is.

import { describe, expect, it } from 'vitest'
import { parseBootstrap } from '../../../broker/client/bootstrap.ts'
import { connectLog } from '../../../broker/client/connect-log.ts'

describe('bootstrap servers', () => {
  it.each([
    ['localhost', [{ host: 'localhost', port: 9092 }]],
    ['127.0.0.1:9093', [{ host: '127.0.0.1', port: 9093 }]],
    [' a:1, b.example.com:2 ,', [{ host: 'a', port: 1 }, { host: 'b.example.com', port: 2 }]],
    ['[::1]:9092,[fe80::1]', [{ host: '::1', port: 9092 }, { host: 'fe80::1', port: 9092 }]],
    ['PLAINTEXT://broker:19092', [{ host: 'broker', port: 19092 }]],
  ])('%s', (text, addresses) => expect(parseBootstrap(text)).toEqual(addresses))

  it.each(['', ',', 'a:b', 'a:0', 'a:70000', 'a b', '::1:9092'])('refuses %j', text => {
    expect(() => parseBootstrap(text)).toThrow(expect.objectContaining({ code: 'BAD_BOOTSTRAP' }))
  })

  it('where nobody listens the error says so', async () => {
    await expect(connectLog({ bootstrap: '127.0.0.1:1', connectTimeoutMs: 100 })).rejects.toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('127.0.0.1:1 failed: ECONNREFUSED') })
  })
})
