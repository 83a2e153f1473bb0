// ApiVersions: what is served; the first thing that a client asks.

import type { ApiName, ResponseInput } from '../../wire/apis.ts'
import { apis } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import type { Handler } from './handler.ts'

/** Versions that are served, where they are fewer than the wire knows. */
export type ServedVersions = ReadonlyMap<ApiName, readonly [min: number, max: number]>

/** Answers with the APIs in the table. */
export function apiVersions(served: ServedVersions): Handler<'ApiVersions'> {
  const apiKeys = [...served].map(([name, [minVersion, maxVersion]]) => ({ apiKey: apis[name].key, minVersion, maxVersion }))
  const answer: ResponseInput<'ApiVersions'> = { errorCode: 0, apiKeys }
  return ({ version }, { clientSoftwareName, clientSoftwareVersion }) => {
    const isNamed = version < 3 || (softwareName.test(clientSoftwareName) && softwareName.test(clientSoftwareVersion))
    return isNamed ? answer : { errorCode: errorCodeOf('INVALID_REQUEST'), apiKeys: [] }
  }
}

/** As Kafka wants the names of client software. */
const softwareName: RegExp = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
