// Every message at every version: what is written is read back, and hostile bytes are refused without harm.

import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../../core/error.ts'
import { apiNames, apiOf, apis } from '../../../broker/wire/apis.ts'
import { ByteReader } from '../../../broker/wire/byte-reader.ts'
import { ByteWriter } from '../../../broker/wire/byte-writer.ts'
import { codecOf } from '../../../broker/wire/codec.ts'
import { complete } from '../../../broker/wire/defaults.ts'
import type { Description } from '../../../broker/wire/description.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../../../broker/wire/frame.ts'
import { arbitraryBody, everyMessage, type Body } from './arbitrary-message.ts'

function encode(description: Description, version: number, body: Body): Buffer {
  const writer = new ByteWriter()
  codecOf(description, version).write(writer, body as never)
  const length = writer.length
  const bytes = Buffer.concat(writer.finish())
  expect(bytes.length).toBe(length)
  return bytes
}

function decode(description: Description, version: number, bytes: Buffer): unknown {
  const reader = new ByteReader(bytes)
  const body = codecOf(description, version).read(reader)
  expect(reader.remaining).toBe(0)
  return body
}

describe('every message at every version', () => {
  test.each(everyMessage().map(({ description, version }) => [`${description.name} ${version}`, description, version] as const))('%s', (_, description, version) => {
    expect(() => fc.assert(fc.property(arbitraryBody(description, version), body => {
      const read = decode(description, version, encode(description, version, body))
      return isDeepStrictEqual(read, body) && isDeepStrictEqual(complete(description, body as never), body)
    }), { numRuns: 20 })).not.toThrow()
  })

  test('descriptions agree with the table', () => {
    for (const name of apiNames) {
      const { minVersion, maxVersion, request, response } = apiOf(name)
      expect([name, request.versions, response.versions]).toEqual([name, [minVersion, maxVersion], [minVersion, maxVersion]])
      expect([request.name, response.name]).toEqual([`${name}Request`, `${name}Response`])
    }
    expect(new Set(apiNames.map(name => apis[name].key)).size).toBe(apiNames.length)
  })
})

describe('hostile bytes', () => {
  const messages = everyMessage()
  const anyMessage = fc.nat(messages.length - 1).map(index => messages[index]!)

  const isReadOrRefused = (description: Description, version: number, bytes: Buffer): boolean => {
    try {
      codecOf(description, version).read(new ByteReader(bytes))
      return true
    } catch (error) {
      return error instanceof MillraceError && error.code === 'MALFORMED_FRAME'
    }
  }

  test('garbage is read or refused', () => {
    expect(() => fc.assert(fc.property(anyMessage, fc.uint8Array({ maxLength: 300 }), ({ description, version }, bytes) =>
      isReadOrRefused(description, version, Buffer.from(bytes))), { numRuns: 5_000 })).not.toThrow()
  })

  test('a good message, cut or with a byte changed, is read or refused', () => {
    const cases = anyMessage.chain(message => fc.record({ message: fc.constant(message), body: arbitraryBody(message.description, message.version), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }))
    expect(() => fc.assert(fc.property(cases, ({ message: { description, version }, body, at, byte }) => {
      const bytes = encode(description, version, body)
      if (bytes.length === 0) return true
      const changed = Buffer.from(bytes)
      changed[at % bytes.length] = byte
      return isReadOrRefused(description, version, changed) && isReadOrRefused(description, version, bytes.subarray(0, at % bytes.length))
    }), { numRuns: 3_000 })).not.toThrow()
  })

  test('an array of two thousand million elements is refused before it is made', () => {
    const bytes = Buffer.alloc(64, 0xff)
    bytes.writeInt32BE(0x7fff_ffff, 0)
    expect(() => codecOf(apis.Metadata.request, 1).read(new ByteReader(bytes))).toThrow('announced')
  })

  test('a frame full of empty elements is refused at the most elements of a message', () => {
    const count = 3_000_000
    const writer = new ByteWriter()
    writer.unsignedVarint(count + 1)
    writer.bytes(Buffer.alloc(count * 20))
    const bytes = Buffer.concat(writer.finish())
    expect(() => codecOf(apis.Metadata.request, 9).read(new ByteReader(bytes))).toThrow('elements')
  })
})

describe('what a version cannot say', () => {
  test('is refused if it matters', () => {
    expect(() => encode(apis.JoinGroup.request, 4, complete(apis.JoinGroup.request, { groupId: 'g', sessionTimeoutMs: 1, memberId: '', protocolType: 'consumer', protocols: [], groupInstanceId: 'a' })))
      .toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }) as Error)
  })

  test('is dropped if it does not', () => {
    const body = complete(apis.Metadata.request, { topics: [], includeTopicAuthorizedOperations: false })
    expect(decode(apis.Metadata.request, 1, encode(apis.Metadata.request, 1, body))).toEqual(body)
  })

  test('is dropped from an answer, whose asker cannot know it', () => {
    const partition = { partitionIndex: 0, errorCode: 0, timestamp: 1, offset: 2, leaderEpoch: 3 }
    const read = decode(apis.ListOffsets.response, 2, encode(apis.ListOffsets.response, 2, { topics: [{ name: 't', partitions: [partition] }] }))
    expect(read).toMatchObject({ topics: [{ partitions: [{ offset: 2, leaderEpoch: -1 }] }] })
  })

  test('a value that does not fit names its field', () => {
    expect(() => encode(apis.Heartbeat.request, 0, { groupId: 'g', generationId: 2 ** 40, memberId: 'm' })).toThrow('HeartbeatRequest.generationId')
  })
})

test('bytes behind a request are let go, those behind an answer are not', () => {
  const request = Buffer.concat([...encodeRequest('Heartbeat', 4, { correlationId: 1, clientId: null }, { groupId: 'g', generationId: 1, memberId: 'm' }), Buffer.from([1, 2, 3])])
  expect(decodeRequest(request.subarray(4)).body).toMatchObject({ groupId: 'g', memberId: 'm' })
  const answer = Buffer.concat([...encodeResponse('Heartbeat', 4, 1, { errorCode: 0 }), Buffer.from([1, 2, 3])])
  expect(() => decodeResponse('Heartbeat', 4, new ByteReader(answer, 8))).toThrow('leaves 3 bytes of its frame unread')
})

test('a string that is longer than an old version could tell is refused in every version, and what tells of an error is cut', () => {
  const write = (groupId: string): Buffer => Buffer.concat(encodeRequest('Heartbeat', 4, { correlationId: 1, clientId: null }, { groupId, generationId: 1, memberId: '' }))
  expect(decodeRequest(write('x'.repeat(0x7fff)).subarray(4)).body).toMatchObject({ groupId: 'x'.repeat(0x7fff) })
  expect(() => decodeRequest(write('x'.repeat(0x8000)).subarray(4))).toThrow(expect.objectContaining({ code: 'MALFORMED_FRAME' }))
  const answer = Buffer.concat(encodeResponse('CreatePartitions', 0, 1, { results: [{ name: 't', errorCode: 1, errorMessage: '漢'.repeat(100_000) }] }))
  const reader = new ByteReader(answer, 8)
  expect(decodeResponse('CreatePartitions', 0, reader).results[0]!.errorMessage).toBe(`${'漢'.repeat(10_000)}…`)
  const frame = write('x'.repeat(0x7fff)).fill(0xff, 100, 200)
  const { groupId } = decodeRequest(frame.subarray(4)).body as { readonly groupId: string }
  expect(Buffer.byteLength(groupId)).toBeGreaterThan(0x7fff)
  expect(Buffer.concat(encodeResponse('DescribeGroups', 0, 1, { groups: [{ errorCode: 0, groupId, groupState: '', protocolType: '', protocolData: '', members: [] }] })).length).toBeLessThan(0x7fff)
})
