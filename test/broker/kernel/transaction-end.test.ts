// What becomes of a request to end a transaction, row by row, as Apache Kafka's TransactionCoordinator decides it.

import { expect, test } from 'vitest'
import { endVerdict } from '../../../broker/kernel/transaction-end.ts'
import { lastEpoch, newTransaction, type TransactionState } from '../../../broker/kernel/transaction-state.ts'

const state = (more: Partial<TransactionState>): TransactionState => ({ ...newTransaction(7, 60_000, 1), producerEpoch: 3, ...more })
const commit = { transactionalId: 't', producerId: 7, producerEpoch: 3, isCommit: true }
const abort = { ...commit, isCommit: false }

test.each([
  ['Ongoing', commit, 'end'],
  ['Ongoing', abort, 'end'],
  ['Ongoing', { ...commit, producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  ['Ongoing', { ...commit, producerEpoch: 2 }, 'PRODUCER_FENCED'],
  ['Ongoing', { ...commit, producerEpoch: 4 }, 'PRODUCER_FENCED'],
  ['PrepareCommit', commit, 'CONCURRENT_TRANSACTIONS'],
  ['PrepareCommit', abort, 'INVALID_TXN_STATE'],
  ['PrepareAbort', abort, 'CONCURRENT_TRANSACTIONS'],
  ['PrepareAbort', commit, 'INVALID_TXN_STATE'],
  ['CompleteCommit', commit, 'done'],
  ['CompleteCommit', abort, 'INVALID_TXN_STATE'],
  ['CompleteAbort', abort, 'done'],
  ['CompleteAbort', commit, 'INVALID_TXN_STATE'],
  ['Empty', commit, 'INVALID_TXN_STATE'],
  ['Empty', abort, 'INVALID_TXN_STATE'],
] as const)('a client that keeps its epoch, %s: %j is answered %s', (status, request, verdict) => {
  expect(endVerdict(state({ status }), { ...request, clientVersion: 1 })).toBe(verdict)
})

/** As after an end whose answer the client may not have heard: the state has the epoch behind that of the request. */
const before = { ...commit, producerEpoch: 2 }
const abortBefore = { ...before, isCommit: false }

test.each([
  ['Ongoing', commit, 'end'],
  ['Ongoing', abort, 'end'],
  ['Ongoing', { ...commit, producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  ['Ongoing', before, 'PRODUCER_FENCED'],
  ['Ongoing', { ...commit, producerEpoch: 4 }, 'PRODUCER_FENCED'],
  ['PrepareCommit', before, 'CONCURRENT_TRANSACTIONS'],
  ['PrepareCommit', abortBefore, 'INVALID_TXN_STATE'],
  ['PrepareAbort', abortBefore, 'CONCURRENT_TRANSACTIONS'],
  ['PrepareAbort', before, 'INVALID_TXN_STATE'],
  ['PrepareCommit', { ...commit, producerEpoch: 1 }, 'PRODUCER_FENCED'],
  ['PrepareCommit', { ...before, producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  // It has heard of the end, and asks for the next one.
  ['PrepareCommit', abort, 'CONCURRENT_TRANSACTIONS'],
  ['PrepareCommit', { ...abort, producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  ['CompleteCommit', before, 'done'],
  ['CompleteCommit', abortBefore, 'INVALID_TXN_STATE'],
  ['CompleteAbort', abortBefore, 'done'],
  ['CompleteAbort', before, 'INVALID_TXN_STATE'],
  ['CompleteCommit', { ...commit, producerEpoch: 1 }, 'PRODUCER_FENCED'],
  ['CompleteCommit', abort, 'end'],
  ['CompleteCommit', commit, 'INVALID_TXN_STATE'],
  ['Empty', commit, 'INVALID_TXN_STATE'],
  ['Empty', abort, 'end'],
  ['Empty', before, 'PRODUCER_FENCED'],
] as const)('a client that gets an epoch with every end, %s: %j is answered %s', (status, request, verdict) => {
  expect(endVerdict(state({ status }), { ...request, clientVersion: 2 })).toBe(verdict)
})

/** The epochs of 7 ran out with the end: 9 goes on from 0. */
const last = { ...commit, producerEpoch: lastEpoch }
const rotating = { producerEpoch: lastEpoch + 1, nextProducerId: 9 }
const rotated = { producerId: 9, previousProducerId: 7, producerEpoch: 0 }

test.each([
  [{ status: 'PrepareCommit', ...rotating }, last, 'CONCURRENT_TRANSACTIONS'],
  [{ status: 'PrepareCommit', ...rotating }, { ...abort, producerId: 9, producerEpoch: 0 }, 'CONCURRENT_TRANSACTIONS'],
  [{ status: 'PrepareCommit', ...rotating }, { ...abort, producerId: 9, producerEpoch: 1 }, 'INVALID_PRODUCER_ID_MAPPING'],
  [{ status: 'PrepareCommit', ...rotating }, { ...abort, producerEpoch: lastEpoch + 1 }, 'PRODUCER_FENCED'],
  [{ status: 'CompleteCommit', ...rotated }, last, 'done'],
  [{ status: 'CompleteCommit', ...rotated }, { ...last, isCommit: false }, 'INVALID_TXN_STATE'],
  [{ status: 'CompleteCommit', ...rotated }, { ...last, producerEpoch: lastEpoch - 1 }, 'INVALID_PRODUCER_ID_MAPPING'],
  [{ status: 'CompleteCommit', ...rotated, producerEpoch: 1 }, last, 'INVALID_PRODUCER_ID_MAPPING'],
  [{ status: 'CompleteCommit', ...rotated }, { ...last, producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  [{ status: 'CompleteCommit', ...rotated }, { ...abort, producerId: 9, producerEpoch: 0 }, 'end'],
  [{ status: 'Ongoing', ...rotated }, last, 'PRODUCER_FENCED'],
] as const)('a client whose epochs ran out, %j: %j is answered %s', (more, request, verdict) => {
  expect(endVerdict(state(more), { ...request, clientVersion: 2 })).toBe(verdict)
})
