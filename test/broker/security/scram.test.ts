// SCRAM: the exchange that RFC 7677 prints, and what must fail.

import { describe, expect, test } from 'vitest'
import { CredentialBook, credentialRecord } from '../../../broker/kernel/credential-book.ts'
import { ScramExchange } from '../../../broker/kernel/scram-exchange.ts'
import { clientProof, saltedPasswordSync, scramAttributes, unescapedName, type ScramMechanism } from '../../../broker/wire/scram.ts'

const mechanism: ScramMechanism = 'SCRAM-SHA-256'
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const first = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO'
const nonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const reply = `r=rOprNGfwEbeRWgbNEkqO${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
const final = `c=biws,r=rOprNGfwEbeRWgbNEkqO${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`

function exchange(): ScramExchange {
  const credentials = new CredentialBook()
  for (const { key, value } of credentials.start(Buffer.from('a secret of this broker'))) credentials.replay(key, value)
  const { key, value } = credentialRecord('user', mechanism, salt, 4096, saltedPasswordSync(mechanism, 'pencil', salt, 4096))
  credentials.replay(key, value)
  return new ScramExchange({ mechanism, credentials, nonce })
}

describe('the exchange of RFC 7677, section 3', () => {
  test('ends with the signature printed there', () => {
    const server = exchange()
    expect(server.step(first)).toEqual({ kind: 'reply', message: reply })
    expect(server.step(final)).toEqual({ kind: 'done', user: 'user', message: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=' })
  })

  test.each([
    ['another proof', final.replace('p=d', 'p=e')],
    ['a proof of another length', final.replace(/p=.*/, 'p=AAAA')],
    ['another nonce', final.replace('r=rOpr', 'r=xOpr')],
    ['a nonce said twice, which the proof does not know', final.replace('r=rOprNGfwEbeRWgbNEkqO', 'r=rOprNGfwEbeRWgbNEkqOrOprNGfwEbeRWgbNEkqO')],
    ['another binding', final.replace('c=biws', 'c=eSws')],
  ])('fails for %s', (_, message) => {
    const server = exchange()
    server.step(first)
    expect(server.step(message)).toEqual({ kind: 'failed' })
  })

  test('takes a nonce said twice, as older librdkafka says it, if the proof is about that', () => {
    const unproven = `c=biws,r=rOprNGfwEbeRWgbNEkqOrOprNGfwEbeRWgbNEkqO${nonce}`
    const proof = clientProof(mechanism, saltedPasswordSync(mechanism, 'pencil', salt, 4096), `${first.slice(3)},${reply},${unproven}`)
    const server = exchange()
    server.step(first)
    expect(server.step(`${unproven},p=${proof.toString('base64')}`)).toMatchObject({ kind: 'done', user: 'user' })
  })

  test('fails for channel binding, and for acting as somebody else', () => {
    expect(exchange().step(first.replace('n,,', 'p=tls-unique,,'))).toEqual({ kind: 'failed' })
    expect(exchange().step(first.replace('n,,', 'n,a=root,'))).toEqual({ kind: 'failed' })
  })

  test('a user that does not exist gets the same salt each time, and fails at the end, whatever the proof', () => {
    const unknown = first.replace('n=user', 'n=nobody')
    const server = exchange()
    const answer = server.step(unknown)
    expect(answer).toEqual(exchange().step(unknown))
    const message = (answer as { message: string }).message
    const pretended = Buffer.from(/s=([^,]*)/.exec(message)![1]!, 'base64')
    const unproven = `c=biws,${message.split(',')[0]!}`
    const proof = clientProof(mechanism, saltedPasswordSync(mechanism, 'pencil', pretended, 4096), `${unknown.slice(3)},${message},${unproven}`)
    expect(server.step(`${unproven},p=${proof.toString('base64')}`)).toEqual({ kind: 'failed' })
  })
})

describe('an exchange that is over', () => {
  test.each([['after it went well', final], ['after it failed', final.replace('p=d', 'p=e')]])('fails for whatever comes %s', (_, message) => {
    const server = exchange()
    server.step(first)
    server.step(message)
    for (const more of [final, first]) expect(server.step(more)).toEqual({ kind: 'failed' })
  })

  test('fails after a message that could not be read', () => {
    const server = exchange()
    expect(() => server.step('n,,n=user,nonsense')).toThrow('SCRAM')
    expect(server.step(first)).toEqual({ kind: 'failed' })
  })
})

test.each([['an extension that must be understood', 'm=1,n=user,r=a'], ['an attribute twice', 'n=user,n=root,r=a'], ['no attribute', 'n=user,r'], ['a tail', 'n=user,r=a,']])('a message with %s is refused', (_, message) => {
  expect(() => scramAttributes(message)).toThrow(expect.objectContaining({ code: 'MALFORMED_SCRAM' }) as Error)
})

test('names are escaped by two sequences and no others', () => {
  expect(unescapedName('a=2Cb=3Dc=3D2C')).toBe('a,b=c=2C')
  for (const bad of ['a=', 'a=2c', 'a=4Db', '=']) expect(() => unescapedName(bad), bad).toThrow(expect.objectContaining({ code: 'MALFORMED_SCRAM' }) as Error)
})

describe('the book of credentials', () => {
  test('knows a password from others, also after it has changed, and nobody who is not in it', async () => {
    const book = new CredentialBook()
    const give = (password: string): void => {
      const { key, value } = credentialRecord('alice/x', mechanism, salt, 4096, saltedPasswordSync(mechanism, password, salt, 4096))
      book.replay(key, value)
    }
    const tried = (): Promise<readonly boolean[]> => Promise.all(['one', 'two', 'one', ''].map(password => book.isPassword('alice/x', password)))
    give('one')
    expect(await tried()).toEqual([true, false, true, false])
    expect(await tried()).toEqual([true, false, true, false])
    give('two')
    expect(await tried()).toEqual([false, true, false, false])
    expect(await book.isPassword('nobody', 'two')).toBe(false)
    book.replay(`scram/${mechanism}/alice/x`, null)
    expect(await tried()).toEqual([false, false, false, false])
    expect([...book.users]).toEqual([])
  })

  test('what a user has by the settings is stronger than what is stored', async () => {
    const book = new CredentialBook()
    const { key, value } = credentialRecord('alice', mechanism, salt, 4096, saltedPasswordSync(mechanism, 'stored', salt, 4096))
    book.replay(key, value)
    await book.fix('alice', 'set')
    expect(await Promise.all(['stored', 'set'].map(password => book.isPassword('alice', password)))).toEqual([false, true])
    expect([...book.users]).toEqual(['alice'])
  })

  test('pretends a credential that looks like those that others have, the same after each start', () => {
    const book = new CredentialBook()
    for (const { key, value } of book.start(Buffer.from('secret'))) book.replay(key, value)
    expect(book.start(Buffer.from('another'))).toEqual([])
    expect(book.pretended('x', mechanism)).toMatchObject({ iterations: 4096, salt: expect.objectContaining({ length: 16 }) as Buffer })
    const { key, value } = credentialRecord('user', mechanism, Buffer.alloc(25, 7), 8192, saltedPasswordSync(mechanism, 'pencil', salt, 8192))
    book.replay(key, value)
    expect(book.pretended('x', mechanism)).toMatchObject({ iterations: 8192, salt: expect.objectContaining({ length: 25 }) as Buffer })
    expect(book.pretended('x', mechanism).salt.equals(book.pretended('y', mechanism).salt)).toBe(false)
  })
})
