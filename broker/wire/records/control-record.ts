// The records that brokers themselves put into partitions: the ends of transactions.

/** The key: 0 abort, 1 commit. */
export const controlRecordType = {
  name: 'ControlRecordTypeSchema',
  versions: [0, 0],
  flexible: null,
  fields: {
    type: 'int16',
  },
} as const

/** The value of a commit or abort marker. */
export const endTxnMarker = {
  name: 'EndTxnMarker',
  versions: [0, 0],
  flexible: null,
  fields: {
    coordinatorEpoch: 'int32',
  },
} as const
