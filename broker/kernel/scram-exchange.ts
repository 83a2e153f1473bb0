// The broker's side of one SCRAM exchange: two messages in, two out, and who it was.

import { escapedName, isProof, scramAttribute, scramAttributes, serverSignature, unescapedName, type ScramMechanism } from '../wire/scram.ts'
import type { CredentialBook, ScramCredential } from './credential-book.ts'

export interface ScramServerOptions {
  readonly mechanism: ScramMechanism
  readonly credentials: CredentialBook
  /** Whose users log in; see there. */
  readonly realm?: string
  /** Random text without commas, fresh for each exchange. */
  readonly nonce: string
}

export type ScramStep = { readonly kind: 'reply'; readonly message: string } | { readonly kind: 'done'; readonly message: string; readonly user: string } | { readonly kind: 'failed' }

const failed: ScramStep = { kind: 'failed' }

/** What a client says is kept until it has logged in, for thousands of strangers at a time. The longest name that Apache Kafka takes has 1024 bytes. */
const maxMessageLength = 4096

/** What the first message fixed. */
interface Begun {
  readonly user: string
  readonly clientNonce: string
  /** The client's and ours. */
  readonly nonce: string
  readonly header: string
  readonly transcript: string
  readonly credential: ScramCredential
  readonly isKnown: boolean
}

export class ScramExchange {
  readonly #options: ScramServerOptions
  #state: 'new' | 'over' | Begun = 'new'

  constructor(options: ScramServerOptions) {
    this.#options = options
  }

  /** An exchange that has ended, well or not, fails from then on. @throws MillraceError MALFORMED_SCRAM, which ends it, too */
  step(message: string): ScramStep {
    const state = this.#state
    this.#state = 'over'
    if (state === 'over' || message.length > maxMessageLength) return failed
    return state === 'new' ? this.#first(message) : this.#final(message, state)
  }

  #first(message: string): ScramStep {
    // gs2-header: no channel binding, and perhaps the same name for whom to act as.
    const parts = /^([ny],(?:a=([^,]*))?,)(.*)$/s.exec(message)
    if (parts === null) return failed
    const [, header, actAs, bare] = parts
    const attributes = scramAttributes(bare!)
    const user = unescapedName(scramAttribute(attributes, 'n'))
    if (actAs !== undefined && actAs !== '' && actAs !== escapedName(user)) return failed
    const clientNonce = scramAttribute(attributes, 'r')
    const nonce = clientNonce + this.#options.nonce
    const { mechanism, credentials, realm } = this.#options
    const known = credentials.find(user, mechanism, realm)
    const credential = known ?? credentials.pretended(user, mechanism)
    const reply = `r=${nonce},s=${credential.salt.toString('base64')},i=${credential.iterations}`
    this.#state = { user, clientNonce, nonce, header: header!, transcript: `${bare},${reply}`, credential, isKnown: known !== undefined }
    return { kind: 'reply', message: reply }
  }

  #final(message: string, { user, clientNonce, nonce, header, transcript, credential, isKnown }: Begun): ScramStep {
    const { mechanism } = this.#options
    const attributes = scramAttributes(message)
    const bound = Buffer.from(scramAttribute(attributes, 'c'), 'base64').toString('utf8')
    const said = scramAttribute(attributes, 'r')
    // librdkafka before 2.6.1 says its own nonce twice. The proof is about what was said in either case, and our part of it is fresh.
    if (bound !== header || (said !== nonce && said !== clientNonce + nonce)) return failed
    const proofAt = message.lastIndexOf(',p=')
    if (proofAt === -1) return failed
    const proof = Buffer.from(message.slice(proofAt + 3), 'base64')
    if (!isProof(mechanism, credential.storedKey, `${transcript},${message.slice(0, proofAt)}`, proof) || !isKnown) return failed
    return { kind: 'done', user, message: `v=${serverSignature(mechanism, credential.serverKey, `${transcript},${message.slice(0, proofAt)}`).toString('base64')}` }
  }
}
