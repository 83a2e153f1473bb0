// The memory that all stores of a process share: who holds how much, and who gives back when it is too much.

/** Something that holds clean rows it can read again. */
export interface BudgetMember {
  /** Bytes held, estimated. */
  readonly heldBytes: number
  /** Gives back about `bytes`, less if the rest is in use. Answers what it gave. */
  evict(bytes: number): number
}

export const DEFAULT_STATE_BUDGET_BYTES: number = 64 * 1024 * 1024

/** Trims to this share of the limit, so that the next row does not trim again. */
const TRIM_TO = 0.9
/** After a trim that could not reach its aim (rows in use), the next waits until this share of the limit has come in. */
const PATIENCE = 0.05
/** Rows that are in the changelog but not on disk may take this share of the limit. */
const UNWRITTEN_SHARE = 0.5

/** Memory for rows, in bytes, shared by the stores that join. The limit is an aim: rows that are not committed yet stay over it. */
export class StateBudget {
  readonly limitBytes: number
  #members = new Set<BudgetMember>()
  #heldBytes = 0
  #trimAtBytes: number
  #unwrittenBytes = 0

  constructor(limitBytes: number = DEFAULT_STATE_BUDGET_BYTES) {
    this.limitBytes = limitBytes
    this.#trimAtBytes = limitBytes
  }

  /** Bytes held by all members, estimated. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  join(member: BudgetMember): void {
    this.#members.add(member)
  }

  leave(member: BudgetMember): void {
    if (this.#members.delete(member)) this.#heldBytes -= member.heldBytes
  }

  /** A member holds `bytes` more, or less if negative. Members trim by {@link trimIfFull} where a row may go. */
  hold(bytes: number): void {
    this.#heldBytes += bytes
  }

  /** Rows that cannot go before they are written grow by `bytes`, or shrink if negative. */
  holdUnwritten(bytes: number): void {
    this.#unwrittenBytes += bytes
  }

  /** True when it is time to write rows to disk, so that they can go. */
  get writingIsDue(): boolean {
    return this.#unwrittenBytes > this.limitBytes * UNWRITTEN_SHARE
  }

  get full(): boolean {
    return this.#heldBytes > this.#trimAtBytes
  }

  /** Asks the members to give back what is over, each by its share. */
  trimIfFull(): void {
    if (!this.full) return
    const over = this.#heldBytes - this.limitBytes * TRIM_TO
    const before = this.#heldBytes
    for (const member of this.#members) member.evict((over * member.heldBytes) / before)
    this.#trimAtBytes = Math.max(this.limitBytes, this.#heldBytes + this.limitBytes * PATIENCE)
  }

  /** After a commit: what was in use may go now. */
  released(): void {
    this.#trimAtBytes = this.limitBytes
    this.trimIfFull()
  }
}
