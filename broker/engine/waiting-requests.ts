// The requests that wait for a coordinator's answer, each known by a token.

export class WaitingRequests<Answer> {
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #nextToken = 0

  /** Hands a token to `begin`, and resolves to what that token is answered with. */
  ask<A extends Answer>(begin: (token: number) => void): Promise<A> {
    return new Promise(resolve => {
      const token = this.#nextToken++
      this.#waiting.set(token, resolve as (answer: Answer) => void)
      begin(token)
    })
  }

  answer(token: number, answer: Answer): void {
    this.#waiting.get(token)?.(answer)
    this.#waiting.delete(token)
  }
}
