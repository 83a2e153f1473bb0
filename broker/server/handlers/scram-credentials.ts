// DescribeUserScramCredentials, AlterUserScramCredentials: users and what they log in with; nobody is shown a credential.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { scramIterations, scramMechanisms, type ScramMechanism } from '../../wire/scram.ts'
import { credentialRecord, credentialRemoval, type CredentialBook } from '../../kernel/credential-book.ts'
import type { Refusal } from '../../kernel/topic-config.ts'
import type { Handler } from './handler.ts'

type Described = ResponseInput<'DescribeUserScramCredentials'>['results'][number]
type AlterRequest = RequestOf<'AlterUserScramCredentials'>
type Deletion = AlterRequest['deletions'][number]
type Upsertion = AlterRequest['upsertions'][number]

const maxNameBytes = 1024
const maxSaltBytes = 1024

/** Kafka numbers them from 1. */
function mechanismOf(code: number): ScramMechanism | undefined {
  return scramMechanisms[code - 1]
}

/** Users that the settings name are there, too. */
export const describeUserScramCredentials: Handler<'DescribeUserScramCredentials'> = ({ broker, answer }, { users }) => {
  const { credentials } = broker.catalogue
  const asked = users === null || users.length === 0 ? [...credentials.users] : users.map(({ name }) => name)
  answer.admit(asked.length)
  const counts = new Map<string, number>()
  for (const name of asked) counts.set(name, (counts.get(name) ?? 0) + 1)
  return { errorCode: 0, errorMessage: null, results: [...counts].map(([user, count]) => described(credentials, user, count > 1)) }
}

function described(credentials: CredentialBook, user: string, isRepeated: boolean): Described {
  const failure = (refused: Refusal): Described => ({ user, errorCode: errorCodeOf(refused.error), errorMessage: refused.message, credentialInfos: [] })
  if (isRepeated) return failure({ error: 'DUPLICATE_RESOURCE', message: `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}` })
  const known = credentials.credentialsOf(user)
  if (known.size === 0) return failure({ error: 'RESOURCE_NOT_FOUND', message: `Attempt to describe a user credential that does not exist: ${user}` })
  const infos = scramMechanisms.flatMap((mechanism, index) => (known.has(mechanism) ? [{ mechanism: index + 1, iterations: known.get(mechanism)!.iterations }] : []))
  return { user, errorCode: 0, errorMessage: null, credentialInfos: infos }
}

/** Nothing of a user changes where something of it cannot. */
export const alterUserScramCredentials: Handler<'AlterUserScramCredentials'> = async ({ broker, answer }, request) => {
  const { deletions, upsertions } = request
  answer.admit(deletions.length + upsertions.length)
  const { credentials } = broker.catalogue
  const refusals = new Map<string, Refusal | null>()
  const seen = new Set<string>()
  const consider = ({ name, mechanism }: Deletion | Upsertion, refusal: () => Refusal | null): void => {
    const isRepeated = seen.size === seen.add(`${mechanism}/${name}`).size
    refusals.set(name, refusals.get(name) ?? (isRepeated ? repeated : nameRefusal(credentials, name) ?? refusal()))
  }
  for (const deletion of deletions) consider(deletion, () => deletionRefusal(credentials, deletion))
  for (const upsertion of upsertions) consider(upsertion, () => upsertionRefusal(upsertion))
  const isTaken = ({ name }: Deletion | Upsertion): boolean => refusals.get(name) === null
  await broker.write([
    ...deletions.filter(isTaken).map(({ name, mechanism }) => credentialRemoval(name, mechanismOf(mechanism)!)),
    ...upsertions.filter(isTaken).map(({ name, mechanism, salt, iterations, saltedPassword }) => credentialRecord(name, mechanismOf(mechanism)!, salt, iterations, saltedPassword)),
  ])
  return { results: Array.from(refusals, ([user, refused]) => ({ user, errorCode: refused === null ? 0 : errorCodeOf(refused.error), errorMessage: refused?.message ?? null })) }
}

function nameRefusal(credentials: CredentialBook, name: string): Refusal | null {
  if (name === '') return unacceptable('Username must not be empty')
  if (Buffer.byteLength(name) > maxNameBytes) return unacceptable(`Username must not be longer than ${maxNameBytes} bytes`)
  return credentials.isFixed(name) ? unacceptable('The settings of the broker name this user; it is changed there') : null
}

function deletionRefusal(credentials: CredentialBook, { name, mechanism: code }: Deletion): Refusal | null {
  const mechanism = mechanismOf(code)
  if (mechanism === undefined) return unknownMechanism
  return credentials.find(name, mechanism) === undefined ? { error: 'RESOURCE_NOT_FOUND', message: 'Attempt to delete a user credential that does not exist' } : null
}

function upsertionRefusal({ mechanism, iterations, salt, saltedPassword }: Upsertion): Refusal | null {
  if (mechanismOf(mechanism) === undefined) return unknownMechanism
  if (iterations > scramIterations.max) return unacceptable('Too many iterations')
  if (iterations < scramIterations.min) return unacceptable('Too few iterations')
  if (salt.length > maxSaltBytes) return unacceptable(`A salt has at most ${maxSaltBytes} bytes`)
  return saltedPassword.length === 0 ? unacceptable('The salted password must not be empty') : null
}

const repeated: Refusal = { error: 'DUPLICATE_RESOURCE', message: 'A user credential cannot be altered twice in the same request' }
const unknownMechanism: Refusal = { error: 'UNSUPPORTED_SASL_MECHANISM', message: 'Unknown SCRAM mechanism' }

function unacceptable(message: string): Refusal {
  return { error: 'UNACCEPTABLE_CREDENTIAL', message }
}
