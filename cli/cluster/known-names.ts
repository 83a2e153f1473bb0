// Topics and groups that are named on the command line: they are there, or the nearest name is said.

import type { GroupDescription } from '../../broker/client/admin-groups.ts'
import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { MillraceError } from '../../core/error.ts'
import type { LogAdmin, TopicDescription } from '../../core/log-port.ts'
import { nearest } from '../terminal/nearest-name.ts'

/** Descriptions in the order of the names. @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION with the nearest name */
export async function expectTopics(admin: LogAdmin, names: readonly string[]): Promise<readonly TopicDescription[]> {
  const found = await admin.describeTopics(names)
  const missing = names.find(name => !found.has(name))
  if (missing === undefined) return names.map(name => found.get(name)!)
  const known = (await admin.listTopics()).filter(name => !name.startsWith('__'))
  throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${missing}.`, { hint: nearest(missing, [...known].sort(), 'There are', `Create it: millrace topics create ${missing}`) })
}

/** Descriptions in the order of the names. @throws MillraceError GROUP_ID_NOT_FOUND with the nearest name */
export async function expectGroups(admin: ClusterAdmin, names: readonly string[]): Promise<readonly GroupDescription[]> {
  const found = await admin.describeGroups(names)
  const missing = names.find(name => !found.has(name))
  if (missing === undefined) return names.map(name => found.get(name)!)
  const known = (await admin.listGroups()).map(({ groupId }) => groupId)
  throw new MillraceError('GROUP_ID_NOT_FOUND', `There is no group ${missing}.`, { hint: nearest(missing, known, 'There are', 'There are no groups at all.') })
}
