// The settings that `millrace broker` is started with: those of a file, and above them those of `--set`.

import { brokerConfigs } from '../../broker/kernel/broker-config.ts'
import { listOf } from '../../broker/kernel/config-definition.ts'
import { advertisedPort, listenAddress } from '../../broker/server/listen-address.ts'
import { isForeign, saidOfForeign, whyForeign } from '../../broker/kernel/foreign-settings.ts'
import { kafkaSettings } from '../../broker/kernel/kafka-settings.ts'
import { listenerSetting } from '../../broker/kernel/listener-config.ts'
import { MillraceError } from '../../core/error.ts'
import { nearestName } from '../../core/nearest-name.ts'
import { readJavaProperties } from '../input/java-properties.ts'

const DEFAULT_LISTEN = '127.0.0.1:9092'

export interface BrokerSettings {
  readonly settings: Readonly<Record<string, string>>
  /** Settings of Apache Kafka in the file that mean nothing here. */
  readonly ignored: readonly string[]
  /** `host:port`, or `NAME://host:port` each: what the command line says, else what the settings say. */
  readonly listen: readonly string[]
}

/**
 * A file may be one of Apache Kafka's: what only Kafka knows is left out and named. What nobody knows is refused, as is everything unknown in `set`.
 * `listen`: where the command line has it listen, if anywhere; stronger than `listeners`. @throws MillraceError USAGE, BAD_ADDRESS, BAD_SETTING, UNKNOWN_SETTING, BAD_PROPERTIES
 */
export async function brokerSettings(file: string | undefined, set: readonly string[], listen: readonly string[] = []): Promise<BrokerSettings> {
  const written = file === undefined ? [] : [...(await readJavaProperties(file))]
  const isHere = ([name, value]: readonly [string, string]): boolean => {
    if (name === 'listeners') return listen.length === 0
    return isOurs(name) && !(name === 'advertised.listeners' && isElsewhere(value, listen[0], written))
  }
  const ignored = written.filter(entry => !isHere(entry)).map(([name]) => name)
  for (const name of ignored) if (!isOurs(name) && !isForeign(name)) throw unknownSetting(name, ` in ${file}`)
  const given = set.map(settingOf)
  for (const [name] of given) if (!isOurs(name)) throw unknownSetting(name, '')
  const known = written.filter(isHere).map(([name, value]) => [name, value.trim()] as const)
  const settings = Object.fromEntries([...known, ...given])
  const listeners = listOf(settings['listeners'] ?? '')
  return { settings, ignored: ignored.sort(), listen: listen.length > 0 ? listen : listeners.length > 0 ? listeners : [DEFAULT_LISTEN] }
}

/** A file that was written for another port than the one that is listened on would send every client there. Listeners with names find their own. */
function isElsewhere(advertised: string, listen: string | undefined, written: readonly (readonly [string, string])[]): boolean {
  if (listen === undefined ? written.some(([name]) => name === 'listeners') : listen.includes('://')) return false
  const port = advertisedPort(advertised)
  return port !== null && port !== listenAddress(listen ?? DEFAULT_LISTEN).port
}

function isOurs(name: string): boolean {
  return brokerConfigs.has(name) || listenerSetting(name) !== null
}

/** Said about settings that are left out; with the option of the command line that does what some of them do. */
export function ignoredText(file: string, ignored: readonly string[]): string {
  const list = ignored.map(name => {
    const why = overruled[name] ?? whyForeign(name)
    return why === null ? name : `${name} (${why})`
  })
  return `${file} has settings of Apache Kafka that mean nothing here: ${list.join(', ')}`
}

/** Why settings that are ours are left out. */
const overruled: Readonly<Record<string, string>> = {
  listeners: '--listen is stronger',
  'advertised.listeners': 'it names another port than the one that is listened on; --advertise says where clients find it',
}

function unknownSetting(name: string, where: string): MillraceError {
  if (isForeign(name)) return new MillraceError('UNKNOWN_SETTING', saidOfForeign(name), { hint: 'millrace broker --help-settings lists those that do.' })
  const near = nearestName(name, where === '' ? brokerConfigs.keys() : [...brokerConfigs.keys(), ...kafkaSettings])
  return new MillraceError('UNKNOWN_SETTING', `There is no setting ${name}${where}.`, { hint: near === null ? 'millrace broker --help-settings lists all.' : `Did you mean ${near}?` })
}

function settingOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new MillraceError('USAGE', `--set ${text} is no NAME=VALUE.`, { hint: 'For example --set num.partitions=4.' })
  return [text.slice(0, equals), text.slice(equals + 1)]
}
