// What a Kafka message is, as data, and the TypeScript types that follow from it: layout, versions, nulls, tags and defaults in one place.

/** The scalars of Kafka's protocol. `records` is a run of record batches: like `bytes`, but passed on without a copy. */
export type Primitive =
  | 'boolean' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'float64'
  | 'string' | 'uuid' | 'bytes' | 'records'

/** A struct: field names (Kafka's, in camel case) in the order of the wire. */
export interface Fields {
  readonly [name: string]: Field
}

/** A field that is always there and needs no more said is its type alone. `[type]` is an array. */
export type Field = Primitive | readonly [Primitive | Fields] | FieldOptions

export interface FieldOptions {
  readonly type: Primitive | readonly [Primitive | Fields] | Fields
  /** First version that has the field. Default: the message's first. */
  readonly since?: number
  /** Last version that has it. */
  readonly until?: number
  /** First version in which it may be null. */
  readonly nullable?: number
  /** What stands for the field where it is left out or the version lacks it. Otherwise zero, false, '', the zero uuid, or empty. */
  readonly default?: null | boolean | number | string
  /** Written as a tagged field with this number, if it is not at its default; from version `taggedSince` if that is given. */
  readonly tag?: number
  readonly taggedSince?: number
  /** In a request or record: a value other than the default may be dropped where the version lacks the field; otherwise writing it is refused. Answers may lose every field. */
  readonly ignorable?: true
}

/** One message: a request, a response, a header, or a record of an internal topic. */
export interface Description {
  readonly name: string
  /** First and last version described. */
  readonly versions: readonly [number, number]
  /** First version with compact lengths and tagged fields; null if there is none. */
  readonly flexible: number | null
  readonly fields: Fields
}

/** A request, its answer and their number. */
export interface Api {
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
  readonly request: Description
  readonly response: Description
}

/** A message as read: every field present. int64 is a number (exact up to 2^53), a uuid is its 36 characters in lower case. */
export type ValueOf<D extends Description> = StructValue<D['fields']>

/** A message as written: fields that have a default, a tag or a range of versions may be left out. */
export type InputOf<D extends Description> = StructInput<D['fields']>

interface PrimitiveValues {
  readonly boolean: boolean
  readonly int8: number
  readonly int16: number
  readonly uint16: number
  readonly int32: number
  readonly uint32: number
  readonly int64: number
  readonly float64: number
  readonly string: string
  readonly uuid: string
  readonly bytes: Buffer
  readonly records: Buffer
}

type StructValue<F> = { readonly [K in keyof F]: FieldValue<F[K]> }

type FieldValue<F> = F extends { readonly type: infer T } ? TypeValue<T> | (F extends { readonly nullable: number } ? null : never) : TypeValue<F>

type TypeValue<T> = T extends keyof PrimitiveValues ? PrimitiveValues[T] : T extends readonly [infer E] ? readonly TypeValue<E>[] : StructValue<T>

type StructInput<F> =
  & { readonly [K in keyof F as F[K] extends Omittable ? never : K]: FieldInput<F[K]> }
  & { readonly [K in keyof F as F[K] extends Omittable ? K : never]?: FieldInput<F[K]> | undefined }

type Omittable = { readonly default: unknown } | { readonly tag: number } | { readonly since: number } | { readonly until: number }

type FieldInput<F> = F extends { readonly type: infer T } ? TypeInput<T> | (F extends { readonly nullable: number } ? null : never) : TypeInput<F>

type TypeInput<T> = T extends keyof PrimitiveValues ? PrimitiveValues[T] : T extends readonly [infer E] ? readonly TypeInput<E>[] : StructInput<T>
