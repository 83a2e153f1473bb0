// How each scalar of the protocol is read and written, with compact lengths or without; the leaves of every codec.

import { MillraceError } from '../../core/error.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Primitive } from './description.ts'

/** Reads and writes one type at one version. `minimalBytes` is what its shortest value takes. */
export interface AnyCodec {
  readonly minimalBytes: number
  readonly read: (reader: ByteReader) => unknown
  readonly write: (writer: ByteWriter, value: unknown) => void
}

/** How a type is laid out at a version, and where it stands (`FetchRequest.topics.partition`), for messages. */
export interface Layout {
  readonly version: number
  readonly flexible: boolean
  readonly nullable: boolean
  /** The description's name. */
  readonly message: string
  readonly path: string
}

export function scalarCodec(type: Primitive, layout: Layout): AnyCodec {
  if (type === 'string') return stringCodec(layout)
  if (type === 'bytes' || type === 'records') return bytesCodec(layout)
  const { bytes, fits, read, write } = fixedScalars[type]
  return {
    minimalBytes: bytes,
    read,
    write(writer, value) {
      if (!fits(value)) throw misfit(layout, type, value)
      write(writer, value as never)
    },
  }
}

interface FixedScalar {
  readonly bytes: number
  readonly fits: (value: unknown) => boolean
  readonly read: (reader: ByteReader) => unknown
  /** Called only with what `fits` lets through. */
  readonly write: (writer: ByteWriter, value: never) => void
}

const isInteger = (value: unknown, least: number, most: number): boolean => Number.isInteger(value) && value as number >= least && value as number <= most

const fixedScalars: { readonly [P in Exclude<Primitive, 'string' | 'bytes' | 'records'>]: FixedScalar } = {
  boolean: { bytes: 1, fits: value => typeof value === 'boolean', read: reader => reader.boolean(), write: (writer, value: boolean) => writer.boolean(value) },
  int8: { bytes: 1, fits: value => isInteger(value, -0x80, 0x7f), read: reader => reader.int8(), write: (writer, value: number) => writer.int8(value) },
  int16: { bytes: 2, fits: value => isInteger(value, -0x8000, 0x7fff), read: reader => reader.int16(), write: (writer, value: number) => writer.int16(value) },
  uint16: { bytes: 2, fits: value => isInteger(value, 0, 0xffff), read: reader => reader.uint16(), write: (writer, value: number) => writer.int16(value) },
  int32: { bytes: 4, fits: value => isInteger(value, -0x8000_0000, 0x7fff_ffff), read: reader => reader.int32(), write: (writer, value: number) => writer.int32(value) },
  uint32: { bytes: 4, fits: value => isInteger(value, 0, 0xffff_ffff), read: reader => reader.uint32(), write: (writer, value: number) => writer.int32(value) },
  int64: { bytes: 8, fits: value => Number.isInteger(value), read: reader => reader.int64(), write: (writer, value: number) => writer.int64(value) },
  float64: { bytes: 8, fits: value => typeof value === 'number', read: reader => reader.float64(), write: (writer, value: number) => writer.float64(value) },
  uuid: { bytes: 16, fits: value => typeof value === 'string', read: reader => reader.uuid(), write: (writer, value: string) => writer.uuid(value) },
}

/** In every version, also where the length has room for more: what one version brings another must be able to say. So does Apache Kafka. */
const maxStringBytes = 0x7fff
/** Of what tells people about an error and may quote what they sent. */
const maxMessageLength = 10_000

function stringCodec(layout: Layout): AnyCodec {
  const width = layout.flexible ? 'compact' : 'int16'
  const isMessage = layout.path.endsWith('.errorMessage')
  const isAnswer = layout.message.endsWith('Response')
  // What was no UTF-8 grows when it is read, and an answer may quote it.
  const isCut = (value: string): boolean => value.length > maxMessageLength && (isMessage || (isAnswer && Buffer.byteLength(value) > maxStringBytes))
  return {
    minimalBytes: layout.flexible ? 1 : 2,
    read(reader) {
      const length = reader.length(width)
      if (length > maxStringBytes) throw new MillraceError('MALFORMED_FRAME', `${layout.path} has ${length} bytes; a string has ${maxStringBytes} at most.`)
      return length < 0 ? nullOf(layout) : reader.utf8(length)
    },
    write(writer, value) {
      if (typeof value === 'string') writer.utf8(isCut(value) ? `${value.slice(0, maxMessageLength)}…` : value, width)
      else writeNull(writer, value, width, layout, 'string')
    },
  }
}

function bytesCodec(layout: Layout): AnyCodec {
  const width = layout.flexible ? 'compact' : 'int32'
  return {
    minimalBytes: layout.flexible ? 1 : 4,
    read(reader) {
      const length = reader.length(width)
      return length < 0 ? nullOf(layout) : reader.bytes(length)
    },
    write(writer, value) {
      if (value instanceof Uint8Array) {
        writer.writeLength(value.length, width)
        writer.bytes(value)
      } else writeNull(writer, value, width, layout, 'bytes')
    },
  }
}

/** The null that was read, if the field may be null. */
export function nullOf(layout: Layout): null {
  if (layout.nullable) return null
  throw new MillraceError('MALFORMED_FRAME', `${layout.path} is null, which version ${layout.version} does not allow.`)
}

/** Writes the null that `value` must be. */
export function writeNull(writer: ByteWriter, value: unknown, width: 'compact' | 'int16' | 'int32', layout: Layout, type: string): void {
  if (value !== null || !layout.nullable) throw misfit(layout, type, value)
  writer.writeLength(-1, width)
}

/** A value that does not fit its field: a bug of the caller, never the other side's doing. */
export function misfit(layout: Layout, type: string, value: unknown): Error {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : typeof value === 'object' && value !== null ? 'an object' : String(value)
  return new TypeError(`${layout.path} is ${shown}, which is no ${type} of version ${layout.version}`)
}
