// The settings of one listener: its own, `listener.name.NAME.SETTING`, above those of its broker.

import { securityConfigs } from './security-configs.ts'
import type { ConfigDefinition } from './config-definition.ts'

/** Who can be asked what settings come to. */
export interface Settings {
  text(name: string): string
  number(name: string): number
  flag(name: string): boolean
}

/** A setting of one listener, taken apart. */
export interface ListenerSetting {
  /** Of the listener, in small letters. */
  readonly listener: string
  /** As in `ssl.client.auth`, or with a mechanism before it, as in `plain.connections.max.reauth.ms`. */
  readonly name: string
  readonly definition: ConfigDefinition
}

const perListener: ReadonlyMap<string, ConfigDefinition> = new Map(securityConfigs.filter(({ ofListener }) => ofListener === true).map(definition => [definition.name, definition]))

/** Null: it is no setting that a listener can have of its own. */
export function listenerSetting(fullName: string): ListenerSetting | null {
  const [, listener, name] = /^listener\.name\.([^.]+)\.(.+)$/.exec(fullName) ?? []
  if (listener === undefined || name === undefined) return null
  const definition = perListener.get(name) ?? (/^(plain|scram-sha-256|scram-sha-512)\.connections\.max\.reauth\.ms$/.test(name) ? perListener.get('connections.max.reauth.ms') : undefined)
  return definition === undefined ? null : { listener: listener.toLowerCase(), name, definition }
}

export class ListenerConfig implements Settings {
  readonly #broker: Settings
  readonly #own: Readonly<Record<string, string>>

  constructor(broker: Settings, own: Readonly<Record<string, string>>) {
    this.#broker = broker
    this.#own = own
  }

  /** Set for this listener alone. */
  own(name: string): string | undefined {
    return this.#own[name]
  }

  text(name: string): string {
    return this.#own[name] ?? this.#broker.text(name)
  }

  number(name: string): number {
    return Number(this.text(name))
  }

  flag(name: string): boolean {
    return this.text(name).trim().toLowerCase() === 'true'
  }
}
