// What stands for a field that is left out; and bodies completed with it, for a pipe where nothing is encoded.

import type { Description, Field, FieldOptions, Fields, InputOf, ValueOf } from './description.ts'

export const ZERO_UUID = '00000000-0000-0000-0000-000000000000'

/** A field without its shorthand. */
export function optionsOf(field: Field): FieldOptions {
  return typeof field === 'string' || isArray(field) ? { type: field } : field
}

/** What stands for the field where it is left out or the version lacks it. Shared and frozen. */
export function defaultOf(field: Field): unknown {
  const { type, default: fallback } = optionsOf(field)
  if (fallback !== undefined) return fallback
  if (typeof type === 'string') return scalarDefaults[type]
  return isArray(type) ? NO_ELEMENTS : structDefault(type)
}

/** A struct of nothing but defaults. Shared and frozen. */
export function structDefault(fields: Fields): Readonly<Record<string, unknown>> {
  let known = structDefaults.get(fields)
  if (known === undefined) {
    known = Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, defaultOf(field)])))
    structDefaults.set(fields, known)
  }
  return known
}

/** The body with every field present, as it would arrive over a socket. What it holds is shared with the input, not copied. */
export function complete<const D extends Description>(description: D, input: InputOf<D>): ValueOf<D> {
  return completerOf(description.fields)(input) as ValueOf<D>
}

export function isArray<T>(type: unknown): type is readonly [T] {
  return Array.isArray(type)
}

type Completer = (value: unknown) => unknown

function completerOf(fields: Fields): Completer {
  let known = completers.get(fields)
  if (known === undefined) {
    known = structCompleter(fields)
    completers.set(fields, known)
  }
  return known
}

function structCompleter(fields: Fields): Completer {
  const template = structDefault(fields)
  const steps = Object.entries(fields).map(([name, field]) => ({ name, complete: typeCompleter(optionsOf(field).type) }))
  return input => {
    const from = input as Record<string, unknown>
    const value: Record<string, unknown> = { ...template }
    for (const { name, complete: completeField } of steps) {
      const given = from[name]
      if (given !== undefined) value[name] = completeField === null || given === null ? given : completeField(given)
    }
    return value
  }
}

/** Null where a value is complete as it is. */
function typeCompleter(type: FieldOptions['type']): Completer | null {
  if (typeof type === 'string') return null
  if (!isArray<string | Fields>(type)) return completerOf(type)
  const element = type[0]
  if (typeof element === 'string') return null
  const completeElement = completerOf(element)
  return value => (value as readonly unknown[]).map(completeElement)
}

const NO_ELEMENTS: readonly never[] = Object.freeze([])

const scalarDefaults = {
  boolean: false, int8: 0, int16: 0, uint16: 0, int32: 0, uint32: 0, int64: 0, float64: 0,
  string: '', uuid: ZERO_UUID, bytes: Buffer.alloc(0), records: Buffer.alloc(0),
} as const

const structDefaults = new WeakMap<Fields, Readonly<Record<string, unknown>>>()
const completers = new WeakMap<Fields, Completer>()
