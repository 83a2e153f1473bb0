// The face `millrace/broker`: start the log engine on a directory or in memory, for Kafka clients or for this process alone.

export { startBroker, type Broker, type BrokerOptions } from './server/start-broker.ts'
export type { FlushPolicy } from './engine/partition.ts'
export type { Endpoint } from './engine/broker-state.ts'
export type { Channel, RequestOptions } from './wire/channel.ts'
export type { Logger, LogFields } from '../core/logger.ts'
export { FileDisk } from './disk/file-disk.ts'
export { MemoryDisk, type CrashOutcome } from './disk/memory-disk.ts'
export type { Disk, DiskFile, DiskLock } from './disk/disk.ts'
