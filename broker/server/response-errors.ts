// Finds the error codes in an answer, wherever its description has one.

import { apiNames, apiOf, type ApiName } from '../wire/apis.ts'
import type { Field, Fields, Primitive } from '../wire/description.ts'

/** Calls `visit` with each code other than 0. */
export function visitErrors(api: ApiName, answer: object, visit: (code: number) => void): void {
  const places = placesOf.get(api)
  if (places !== null && places !== undefined) walk(places, answer as Struct, visit)
}

type Struct = Readonly<Record<string, unknown>>

/** Where a struct has error codes: in itself, in fields that are structs or lists of them. */
interface Places {
  readonly own: boolean
  readonly inner: readonly (readonly [field: string, places: Places])[]
}

function walk(places: Places, struct: Struct, visit: (code: number) => void): void {
  const code = places.own ? struct['errorCode'] : 0
  if (typeof code === 'number' && code !== 0) visit(code)
  for (const [field, inner] of places.inner) {
    const value = struct[field]
    if (Array.isArray(value)) for (const element of value) walk(inner, element as Struct, visit)
    else if (typeof value === 'object' && value !== null) walk(inner, value as Struct, visit)
  }
}

function findPlaces(fields: Fields): Places | null {
  const inner: [string, Places][] = []
  for (const [name, field] of Object.entries(fields)) {
    const struct = structOf(field)
    const places = struct === null ? null : findPlaces(struct)
    if (places !== null) inner.push([name, places])
  }
  const own = 'errorCode' in fields
  return own || inner.length > 0 ? { own, inner } : null
}

function structOf(field: Field): Fields | null {
  const type = isType(field) ? field : field.type
  const element = Array.isArray(type) ? (type[0] as Primitive | Fields) : (type as Primitive | Fields)
  return typeof element === 'string' ? null : element
}

function isType(field: Field): field is Primitive | readonly [Primitive | Fields] {
  return typeof field === 'string' || Array.isArray(field)
}

const placesOf: ReadonlyMap<ApiName, Places | null> = new Map(apiNames.map(api => [api, findPlaces(apiOf(api).response.fields)]))
