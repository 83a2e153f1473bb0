// UpdateFeatures: features of the protocol, each of which this broker keeps at one level.

import type { RequestOf } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import type { ServedFeature } from './api-versions.ts'
import type { Handler } from './handler.ts'

type Update = RequestOf<'UpdateFeatures'>['featureUpdates'][number]

/** Kafka's kinds: a step up, and down without and with loss. */
const upgrade = 1
const downgrades: readonly number[] = [2, 3]
const lastVersionWithResults = 1

/** Nothing changes; a level that is there already is no error. The first that is refused refuses all. */
export function updateFeatures(features: readonly ServedFeature[]): Handler<'UpdateFeatures'> {
  return ({ broker, answer, version }, { featureUpdates }) => {
    answer.admit(featureUpdates.length)
    for (const update of featureUpdates) {
      const problem = updateProblem(features, update, version, broker.nodeId)
      if (problem === null) continue
      const message = `Invalid update version ${update.maxVersionLevel} for feature ${update.feature}. ${problem}`
      return { errorCode: errorCodeOf('INVALID_UPDATE_VERSION'), errorMessage: `The update failed for all features since the following feature had an error: ${message}`, results: [] }
    }
    return { errorCode: 0, results: version > lastVersionWithResults ? [] : featureUpdates.map(({ feature }) => ({ feature, errorCode: 0 })) }
  }
}

/** What is wrong, in Kafka's words; null if nothing. */
function updateProblem(features: readonly ServedFeature[], update: Update, version: number, nodeId: number): string | null {
  const level = update.maxVersionLevel
  const kind = version > 0 ? update.upgradeType : update.allowDowngrade ? downgrades[0]! : upgrade
  if (kind !== upgrade && !downgrades.includes(kind)) return 'The controller does not support the given upgrade type.'
  if (level < 0) return 'A feature version cannot be less than 0.'
  const feature = features.find(({ name }) => name === update.feature)
  if (feature === undefined) return level === 0 ? `Feature ${update.feature} not found.` : `Local controller ${nodeId} does not support this feature.`
  if (level < feature.minLevel || level > feature.maxLevel) return `Local controller ${nodeId} only supports versions ${feature.minLevel}-${feature.maxLevel}`
  if (level < feature.level && kind === upgrade) return "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
  return level === feature.level ? null : `Broker ${nodeId} keeps it at ${feature.level}.`
}
