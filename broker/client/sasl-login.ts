// Says to a broker who the client is: PLAIN or SCRAM, over a channel that has just been opened.

import { timingSafeEqual } from 'node:crypto'
import { MillraceError } from '../../core/error.ts'
import { systemRandom, type Random } from '../../core/random.ts'
import type { Channel } from '../wire/channel.ts'
import { kafkaError } from '../wire/error-code.ts'
import { clientProof, escapedName, saltedPassword, scramAttribute, scramAttributes, scramIterations, scramKeys, serverSignature, type ScramMechanism } from '../wire/scram.ts'

export interface SaslLogin {
  readonly mechanism: 'PLAIN' | ScramMechanism
  readonly username: string
  readonly password: string
}

/** @throws MillraceError SASL_AUTHENTICATION_FAILED, UNSUPPORTED_SASL_MECHANISM */
export async function logIn(channel: Channel, login: SaslLogin, random: Random = systemRandom): Promise<void> {
  const { errorCode, mechanisms } = await channel.request('SaslHandshake', { mechanism: login.mechanism }, { version: 1 })
  if (errorCode !== 0) throw kafkaError(errorCode, `logging in with ${login.mechanism}`, `The broker takes ${mechanisms.join(', ') || 'none'}.`)
  if (login.mechanism === 'PLAIN') await step(channel, `\0${login.username}\0${login.password}`)
  else await scram(channel, login, login.mechanism, random)
}

async function scram(channel: Channel, { username, password }: SaslLogin, mechanism: ScramMechanism, random: Random): Promise<void> {
  const nonce = random.bytes(18).toString('base64')
  const first = `n=${escapedName(username)},r=${nonce}`
  const reply = await step(channel, `n,,${first}`)
  const attributes = scramAttributes(reply)
  const both = scramAttribute(attributes, 'r')
  const iterations = Number(scramAttribute(attributes, 'i'))
  if (!both.startsWith(nonce) || !(iterations >= scramIterations.min) || iterations > 1_000_000) throw new MillraceError('SASL_AUTHENTICATION_FAILED', 'The broker does not follow SCRAM.')
  const salted = await saltedPassword(mechanism, password, Buffer.from(scramAttribute(attributes, 's'), 'base64'), iterations)
  const unproven = `c=biws,r=${both}`
  const authMessage = `${first},${reply},${unproven}`
  const last = await step(channel, `${unproven},p=${clientProof(mechanism, salted, authMessage).toString('base64')}`)
  const shown = Buffer.from(scramAttribute(scramAttributes(last), 'v'), 'base64')
  const due = serverSignature(mechanism, scramKeys(mechanism, salted).serverKey, authMessage)
  if (shown.length !== due.length || !timingSafeEqual(shown, due)) throw new MillraceError('SASL_AUTHENTICATION_FAILED', 'The broker does not know the password either: it is another one.')
}

async function step(channel: Channel, message: string): Promise<string> {
  const { errorCode, errorMessage, authBytes } = await channel.request('SaslAuthenticate', { authBytes: Buffer.from(message) })
  if (errorCode !== 0) throw kafkaError(errorCode, 'logging in', errorMessage)
  return Buffer.from(authBytes).toString('utf8')
}
