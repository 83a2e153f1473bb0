// Turns the description of a message, at one version, into a reader and a writer; made once each, at first use.

import { assert, MillraceError } from '../../core/error.ts'
import type { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { defaultOf, isArray, optionsOf, structDefault } from './defaults.ts'
import type { Description, Field, FieldOptions, Fields, InputOf, Primitive, ValueOf } from './description.ts'
import { misfit, nullOf, scalarCodec, writeNull, type AnyCodec, type Layout } from './scalar-codec.ts'

export interface Codec<Value, Input> {
  /** @throws MillraceError MALFORMED_FRAME */
  read(reader: ByteReader): Value
  /** @throws MillraceError UNSUPPORTED_VERSION if a field is set that this version cannot carry */
  write(writer: ByteWriter, input: Input): void
}

/** The codec of one message at one version. */
export function codecOf<const D extends Description>(description: D, version: number): Codec<ValueOf<D>, InputOf<D>> {
  let byVersion = codecs.get(description)
  if (byVersion === undefined) {
    byVersion = []
    codecs.set(description, byVersion)
  }
  return (byVersion[version] ??= messageCodec(description, version)) as Codec<ValueOf<D>, InputOf<D>>
}

/** True if the message has compact lengths and tagged fields at this version. */
export function isFlexible(description: Description, version: number): boolean {
  return description.flexible !== null && version >= description.flexible
}

const codecs = new WeakMap<Description, AnyCodec[]>()

function messageCodec(description: Description, version: number): AnyCodec {
  const [first, last] = description.versions
  assert(Number.isInteger(version) && version >= first && version <= last, `${description.name} is described for versions ${first} to ${last}, not for ${version}`)
  return structCodec(description.fields, { version, flexible: isFlexible(description, version), nullable: false, message: description.name, path: description.name })
}

function typeCodec(type: FieldOptions['type'], layout: Layout): AnyCodec {
  if (typeof type === 'string') return scalarCodec(type, layout)
  if (isArray<Primitive | Fields>(type)) return arrayCodec(typeCodec(type[0], { ...layout, nullable: false }), layout)
  const struct = structCodec(type, layout)
  return layout.nullable ? nullableStructCodec(struct) : struct
}

function arrayCodec(element: AnyCodec, layout: Layout): AnyCodec {
  const width = layout.flexible ? 'compact' : 'int32'
  return {
    minimalBytes: layout.flexible ? 1 : 4,
    read(reader) {
      const count = reader.length(width)
      if (count < 0) return nullOf(layout)
      reader.admit(count, element.minimalBytes)
      const values = []
      for (let i = 0; i < count; i++) values.push(element.read(reader))
      return values
    },
    write(writer, value) {
      if (!Array.isArray(value)) return writeNull(writer, value, width, layout, 'array')
      writer.writeLength(value.length, width)
      for (const item of value) element.write(writer, item)
    },
  }
}

/** A byte says whether the struct is there (1) or null (-1). */
function nullableStructCodec(struct: AnyCodec): AnyCodec {
  return {
    minimalBytes: 1,
    read: reader => reader.int8() < 0 ? null : struct.read(reader),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) struct.write(writer, value)
    },
  }
}

interface FieldCodec extends AnyCodec {
  readonly name: string
  readonly fallback: unknown
}

function structCodec(fields: Fields, layout: Layout): AnyCodec {
  const template = structDefault(fields)
  const entries = Object.entries(fields)
  const present = entries.filter(([, field]) => placeOf(field, layout) === 'in order').map(([name, field]) => fieldCodec(name, field, layout))
  const refusals = entries.filter(([, field]) => placeOf(field, layout) === 'absent' && !isLossAllowed(field, layout)).map(([name, field]) => lossRefusal(name, field, layout))
  const tags = layout.flexible ? tagsCodec(entries.filter(([, field]) => placeOf(field, layout) === 'tagged'), layout) : null
  return {
    minimalBytes: present.reduce((sum, field) => sum + field.minimalBytes, tags === null ? 0 : 1),
    read(reader) {
      const value: Record<string, unknown> = { ...template }
      for (const field of present) value[field.name] = field.read(reader)
      if (tags !== null) tags.read(reader, value)
      return value
    },
    write(writer, input) {
      if (typeof input !== 'object' || input === null) throw misfit(layout, 'struct', input)
      const value = input as Readonly<Record<string, unknown>>
      for (const refuse of refusals) refuse(value)
      for (const field of present) {
        const given = value[field.name]
        field.write(writer, given === undefined ? field.fallback : given)
      }
      if (tags !== null) tags.write(writer, value)
    },
  }
}

function placeOf(field: Field, { version, flexible }: Layout): 'in order' | 'tagged' | 'absent' {
  const { since = 0, until = version, tag, taggedSince = since } = optionsOf(field)
  if (version < since || version > until) return 'absent'
  return tag !== undefined && flexible && version >= taggedSince ? 'tagged' : 'in order'
}

function fieldCodec(name: string, field: Field, layout: Layout): FieldCodec {
  const { type, nullable } = optionsOf(field)
  const codec = typeCodec(type, { ...layout, nullable: nullable !== undefined && layout.version >= nullable, path: `${layout.path}.${name}` })
  return { name, fallback: defaultOf(field), ...codec }
}

/** Who asked in this version cannot know a field that it lacks, so an answer may lose it; a request or record may not, unless the field says so. */
function isLossAllowed(field: Field, layout: Layout): boolean {
  return optionsOf(field).ignorable === true || layout.message.endsWith('Response')
}

/** Refuses a value that would be lost because the version lacks its field. */
function lossRefusal(name: string, field: Field, layout: Layout): (struct: Readonly<Record<string, unknown>>) => void {
  const isDefault = defaultTest(optionsOf(field).type, defaultOf(field))
  return struct => {
    const value = struct[name]
    if (value === undefined || isDefault(value)) return
    throw new MillraceError('UNSUPPORTED_VERSION', `${layout.path}.${name} cannot be said in version ${layout.version}, the newest that both sides speak.`)
  }
}

interface TagsCodec {
  read(reader: ByteReader, into: Record<string, unknown>): void
  write(writer: ByteWriter, value: Readonly<Record<string, unknown>>): void
}

/** The tail of a flexible struct: numbered fields that are not at their default. Unknown numbers are skipped. */
function tagsCodec(entries: [string, Field][], layout: Layout): TagsCodec {
  const tagged = entries
    .map(([name, field]) => ({ ...fieldCodec(name, field, layout), tag: optionsOf(field).tag!, isDefault: defaultTest(optionsOf(field).type, defaultOf(field)) }))
    .sort((a, b) => a.tag - b.tag)
  const byTag = new Map(tagged.map(field => [field.tag, field]))
  return {
    read(reader, into) {
      for (let left = reader.unsignedVarint(); left > 0; left--) {
        const field = byTag.get(reader.unsignedVarint())
        const length = reader.unsignedVarint()
        if (field === undefined) reader.skip(length)
        else into[field.name] = readWithin(reader, length, field)
      }
    },
    write(writer, value) {
      const set = tagged.filter(field => value[field.name] !== undefined && !field.isDefault(value[field.name]))
      writer.unsignedVarint(set.length)
      for (const field of set) writeTagged(writer, field.tag, field, value[field.name])
    },
  }
}

function readWithin(reader: ByteReader, length: number, codec: AnyCodec): unknown {
  const start = reader.position
  const value = codec.read(reader)
  if (reader.position - start !== length) {
    throw new MillraceError('MALFORMED_FRAME', `A tagged field announces ${length} bytes and has ${reader.position - start} (at byte ${start}).`)
  }
  return value
}

function writeTagged(writer: ByteWriter, tag: number, codec: AnyCodec, value: unknown): void {
  const inner = new ByteWriter()
  codec.write(inner, value)
  writer.unsignedVarint(tag)
  writer.unsignedVarint(inner.length)
  for (const chunk of inner.finish()) writer.bytes(chunk)
}

/** Whether a value is the default, looking into structs. */
function defaultTest(type: FieldOptions['type'], fallback: unknown): (value: unknown) => boolean {
  if (fallback === null || typeof fallback !== 'object') return value => value === fallback
  if (typeof type === 'string') return value => (value as Uint8Array | null)?.length === 0
  if (isArray(type)) return value => (value as readonly unknown[] | null)?.length === 0
  const tests = Object.entries(type).map(([name, field]) => ({ name, isDefault: defaultTest(optionsOf(field).type, defaultOf(field)) }))
  return value => value !== null && tests.every(({ name, isDefault }) => {
    const given = (value as Readonly<Record<string, unknown>>)[name]
    return given === undefined || isDefault(given)
  })
}
