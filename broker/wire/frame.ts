// Requests and responses as frames: a length, a header with the correlation id, and the body.

import { MillraceError } from '../../core/error.ts'
import { apiByKey, apiOf, apis, type ApiName, type RequestInput, type RequestOf, type ResponseInput, type ResponseOf } from './apis.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { codecOf, isFlexible } from './codec.ts'
import { errorCodeOf } from './error-code.ts'

/** Largest request that is taken, bytes; Kafka's default for `socket.request.max.bytes`. */
export const DEFAULT_MAX_REQUEST_BYTES: number = 100 * 1024 * 1024

export interface RequestHeader {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
}

export interface Request<N extends ApiName> extends RequestHeader {
  readonly api: N
  readonly body: RequestOf<N>
}

/** A request that is not described, at least not in this version. */
export interface UnknownRequest extends RequestHeader {
  readonly api: ApiName | null
  readonly body: null
}

/** The whole frame, length first, as chunks to be written in order. Large byte runs are those of the body, not copies. */
export function encodeRequest<N extends ApiName>(api: N, version: number, header: { readonly correlationId: number; readonly clientId: string | null }, body: RequestInput<N>): Buffer[] {
  const writer = new ByteWriter()
  writer.int32(0)
  writer.int16(apis[api].key)
  writer.int16(version)
  writer.int32(header.correlationId)
  if (header.clientId === null) writer.int16(-1)
  else writer.utf8(header.clientId, 'int16')
  const { request } = apiOf(api)
  if (isFlexible(request, version)) writer.unsignedVarint(0)
  codecOf(request, version).write(writer, body)
  return withLength(writer)
}

/**
 * Reads a request from a frame without its length. Byte runs of the body are views of the frame; bytes behind it are let go, as by Kafka.
 * @throws MillraceError MALFORMED_FRAME
 */
export function decodeRequest(frame: Buffer): Request<ApiName> | UnknownRequest {
  const reader = new ByteReader(frame)
  const apiKey = reader.int16()
  const version = reader.int16()
  const correlationId = reader.int32()
  const api = apiByKey(apiKey) ?? null
  if (api === null || version < apis[api].minVersion || version > apis[api].maxVersion) {
    return { apiKey, version, correlationId, clientId: null, api, body: null }
  }
  const length = reader.length('int16')
  const clientId = length < 0 ? null : reader.utf8(length)
  const { request } = apiOf(api)
  if (isFlexible(request, version)) skipTags(reader)
  const body = codecOf(request, version).read(reader) as RequestOf<ApiName>
  return { apiKey, version, correlationId, clientId, api, body }
}

/** The whole frame, length first, as chunks to be written in order. Large byte runs are those of the body, not copies. */
export function encodeResponse<N extends ApiName>(api: N, version: number, correlationId: number, body: ResponseInput<N>): Buffer[] {
  const writer = new ByteWriter()
  writer.int32(0)
  writer.int32(correlationId)
  const { response } = apiOf(api)
  if (hasHeaderTags(api, version)) writer.unsignedVarint(0)
  codecOf(response, version).write(writer, body)
  return withLength(writer)
}

/** Kafka's answer to an ApiVersions request of a version that the broker does not know: version 0, so that any client can read it. */
export function unsupportedApiVersionsResponse(correlationId: number): Buffer[] {
  const { key: apiKey, minVersion, maxVersion } = apis.ApiVersions
  return encodeResponse('ApiVersions', 0, correlationId, { errorCode: errorCodeOf('UNSUPPORTED_VERSION'), apiKeys: [{ apiKey, minVersion, maxVersion }] })
}

/** Reads the correlation id of a response frame, whose reader then stands behind it. */
export function readCorrelationId(reader: ByteReader): number {
  return reader.int32()
}

/**
 * Reads the rest of a response, after its correlation id. Byte runs of the body are views of the frame.
 * @throws MillraceError MALFORMED_FRAME
 */
export function decodeResponse<N extends ApiName>(api: N, version: number, reader: ByteReader): ResponseOf<N> {
  const { response } = apiOf(api)
  if (hasHeaderTags(api, version)) skipTags(reader)
  // A broker that does not know the version of an ApiVersions request answers in version 0.
  const readAs = api === 'ApiVersions' && version > 0 && reader.remaining >= 2 && peekInt16(reader) === errorCodeOf('UNSUPPORTED_VERSION') ? 0 : version
  const body = codecOf(response, readAs).read(reader) as ResponseOf<N>
  expectEnd(reader, response.name, readAs)
  return body
}

/** Responses to ApiVersions never have tags in their header: the client does not know yet what the broker speaks. */
function hasHeaderTags(api: ApiName, version: number): boolean {
  return api !== 'ApiVersions' && isFlexible(apiOf(api).response, version)
}

function withLength(writer: ByteWriter): Buffer[] {
  const length = writer.length - 4
  const chunks = writer.finish()
  chunks[0]!.writeInt32BE(length, 0)
  return chunks
}

function skipTags(reader: ByteReader): void {
  for (let left = reader.unsignedVarint(); left > 0; left--) {
    reader.unsignedVarint()
    reader.skip(reader.unsignedVarint())
  }
}

function peekInt16(reader: ByteReader): number {
  const value = reader.int16()
  reader.position -= 2
  return value
}

function expectEnd(reader: ByteReader, name: string, version: number): void {
  if (reader.remaining !== 0) throw new MillraceError('MALFORMED_FRAME', `${name} of version ${version} leaves ${reader.remaining} bytes of its frame unread.`)
}
