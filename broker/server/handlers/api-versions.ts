// ApiVersions: what is served; the first thing that a client asks.

import type { ApiName, ResponseInput } from '../../wire/apis.ts'
import { apis } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import type { Handler } from './handler.ts'

/** Versions that are served, where they are fewer than the wire knows. */
export type ServedVersions = ReadonlyMap<ApiName, readonly [min: number, max: number]>

/** A feature of the protocol that is switched on. */
export interface ServedFeature {
  readonly name: string
  readonly minLevel: number
  readonly maxLevel: number
  /** What is switched on, for good. */
  readonly level: number
}

/** Before version 4 a client cannot read that a feature's lowest level is 0, and is told 1, as by Kafka. */
const zeroLevelVersion = 4

/** Answers with the APIs and features in the tables. */
export function apiVersions(served: ServedVersions, features: readonly ServedFeature[]): Handler<'ApiVersions'> {
  const apiKeys = [...served].map(([name, [minVersion, maxVersion]]) => ({ apiKey: apis[name].key, minVersion, maxVersion }))
  const finalizedFeatures = features.map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level }))
  const answerFor = (lowestLevel: number): ResponseInput<'ApiVersions'> => {
    const supportedFeatures = features.map(({ name, minLevel, maxLevel }) => ({ name, minVersion: Math.max(minLevel, lowestLevel), maxVersion: maxLevel }))
    return { errorCode: 0, apiKeys, supportedFeatures, finalizedFeaturesEpoch: 0, finalizedFeatures }
  }
  const [answer, olderAnswer] = [answerFor(0), answerFor(1)]
  return ({ version }, { clientSoftwareName, clientSoftwareVersion }) => {
    const isNamed = version < 3 || (softwareName.test(clientSoftwareName) && softwareName.test(clientSoftwareVersion))
    return isNamed ? (version < zeroLevelVersion ? olderAnswer : answer) : { errorCode: errorCodeOf('INVALID_REQUEST'), apiKeys: [] }
  }
}

/** As Kafka wants the names of client software. */
const softwareName: RegExp = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
