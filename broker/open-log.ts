// Opens the log an application asked for: the broker embedded in this process, or a client of a cluster. The runtime finds it as `#log`.

import type { LogPort } from '../core/log-port.ts'
import type { ClusterAdmin } from './client/admin.ts'
import type { LogLocation, OpenLogOptions } from '../core/log-location.ts'

/** Each half loads only what it needs. Closing the log closes the broker that it embeds. */
export async function openLog(location: LogLocation, options: OpenLogOptions): Promise<LogPort & { readonly admin: ClusterAdmin }> {
  const { connectLog } = await import('./client/connect-log.ts')
  if (location.bootstrapServers !== undefined) return connectLog({ bootstrap: location.bootstrapServers, ...options })
  const { startBroker } = await import('./server/start-broker.ts')
  const broker = await startBroker({ dataDirectory: `${location.dataDirectory}/log`, listen: false, ...options })
  const log = await connectLog({ connect: () => broker.connect(), ...options })
  return {
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
