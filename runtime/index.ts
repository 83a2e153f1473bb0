// The public face `millrace/runtime`: run an application in one's own program.

export { StreamsApplication, type ApplicationMetrics, type ApplicationState } from './application.ts'
export { defineApplication, type ApplicationDefinition, type InputFormat, type InputSource } from './application-definition.ts'
export type { ApplicationSettings, TopologyBuilder } from './application-settings.ts'
export type { ErrorHandler, ErrorVerdict, RecordFailure } from './operators/error-handler.ts'
export type { QueryableWindowStore } from './queryable-store.ts'
