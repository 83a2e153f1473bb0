// Bootstrap servers as people write them: host:port, several with commas between.

import { MillraceError } from '../../core/error.ts'
import type { BrokerAddress } from './connections.ts'

const defaultPort = 9092

/** `host`, `host:port`, `[ipv6]:port`; without a port it is 9092. @throws MillraceError BAD_BOOTSTRAP */
export function parseBootstrap(text: string): readonly BrokerAddress[] {
  const addresses = text.split(',').map(part => part.trim()).filter(part => part !== '').map(parseAddress)
  if (addresses.length === 0) throw badBootstrap(text)
  return addresses
}

function parseAddress(text: string): BrokerAddress {
  const match = /^(?:[A-Za-z_]+:\/\/)?(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[3] ?? defaultPort)
  if (match === null || port < 1 || port > 65535) throw badBootstrap(text)
  return { host: match[1] ?? match[2]!, port }
}

function badBootstrap(text: string): MillraceError {
  return new MillraceError('BAD_BOOTSTRAP', `${JSON.stringify(text)} names no broker.`, { hint: 'Write host:port, several with commas between, as 127.0.0.1:9092.' })
}
