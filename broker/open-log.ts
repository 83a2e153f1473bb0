// Opens the log an application asked for: the broker embedded in this process, or a client of a cluster. The runtime finds it as `#log`.

import type { LogPort } from '../core/log-port.ts'
import type { ClusterAdmin } from './client/admin.ts'
import type { LogLocation, OpenLogOptions } from '../core/log-location.ts'

/** `address`: where an embedded log listens, if it does. */
export type OpenedLog = LogPort & { readonly admin: ClusterAdmin; readonly address: { readonly host: string; readonly port: number } | null }

/** Each half loads only what it needs. Closing the log closes the broker that it embeds. */
export async function openLog(location: LogLocation, options: OpenLogOptions): Promise<OpenedLog> {
  const { connectLog } = await import('./client/connect-log.ts')
  if (location.bootstrapServers !== undefined) {
    const { clientSecurity } = await import('./client/client-security.ts')
    const log = await connectLog({ bootstrap: location.bootstrapServers, security: clientSecurity(location.clientProperties ?? {}), ...options })
    return Object.assign(log, { address: null })
  }
  const { startBroker } = await import('./server/start-broker.ts')
  const { clock, random, logger } = options
  const broker = await startBroker({ dataDirectory: `${location.dataDirectory}/log`, listen: location.listen ?? false, clock, random, logger })
  const log = await connectLog({ connect: () => broker.connect(), ...options })
  return {
    address: broker.address,
    admin: log.admin,
    producer: settings => log.producer(settings),
    groupConsumer: settings => log.groupConsumer(settings),
    reader: settings => log.reader(settings),
    async close() {
      await log.close()
      await broker.close()
    },
  }
}
