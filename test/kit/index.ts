// The public face `millrace/testing`: run a topology in a test, without a log.

export { TopologyTestDriver, type TopologyTestDriverOptions } from './topology-test-driver.ts'
export type { RawRecordInput, TestInputTopic, TestOutputTopic, TestRecord, TestRecordInput, TestSerdes } from './test-topics.ts'
export type { TestRow, TestStore } from './test-store.ts'
