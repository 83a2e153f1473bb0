// Where an application's log is: in a directory of its own process, or at the bootstrap servers of a cluster.

import type { Clock } from './clock.ts'
import type { LogPort } from './log-port.ts'
import type { Logger } from './logger.ts'
import type { Random } from './random.ts'

/** How a client of a cluster logs in, by Kafka's names: `security.protocol`, `sasl.mechanism`, `sasl.jaas.config`, `ssl.*`. */
export type ClientProperties = Readonly<Record<string, string>>

/** An embedded log in that directory, which other Kafka clients can use, too, where it listens (`host:port`; port 0 takes a free one); or a Millrace or Apache Kafka cluster. */
export type LogLocation =
  | { readonly dataDirectory: string; readonly listen?: string | undefined; readonly bootstrapServers?: undefined; readonly clientProperties?: undefined }
  | { readonly bootstrapServers: string; readonly dataDirectory?: undefined; readonly clientProperties?: ClientProperties }

export interface OpenLogOptions {
  readonly clientId: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Opens a log. `package.json` binds `#log` to the implementation, so that the runtime knows the port only. */
export type OpenLog = (location: LogLocation, options: OpenLogOptions) => Promise<LogPort>
