// The face `millrace/client`: connect to a log, produce, consume, administer.

export { connectLog, type ConnectLogOptions, type LogClient, type LogEndpoint } from './connect-log.ts'
export type { ClusterAdmin, ClusterDescription, PartitionDetails, TopicDetails } from './admin.ts'
export type { ConfigAdmin, ConfigChange, ConfigEntry, ConfigResource, ConfigSource } from './admin-configs.ts'
export type { GroupAdmin, GroupDescription, GroupListing, GroupMemberDescription } from './admin-groups.ts'
export type { PartitionProducer, TransactionAdmin, TransactionDescription, TransactionFilter, TransactionListing } from './admin-transactions.ts'
export { clientSecurity, type ClientSecurity } from './client-security.ts'
export type { SaslLogin } from './sasl-login.ts'
export { parseBootstrap } from './bootstrap.ts'
export type { BrokerAddress } from './connections.ts'
export type {
  CommittedOffset, FetchedRecords, FetchOptions, GroupConsumer, GroupConsumerOptions, GroupMember, LogAdmin, LogPort, LogProducer, LogReader,
  MemberAssignment, NewTopic, PartitionAppender, ProducerOptions, RebalanceListener, TopicDescription,
} from '../../core/log-port.ts'
