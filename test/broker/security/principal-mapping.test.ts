// What a broker calls the owner of a certificate: the examples of Apache Kafka's documentation, and rules that cannot be.

import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { distinguishedName } from '../../../broker/server/security/distinguished-name.ts'
import { principalMapping } from '../../../broker/server/security/principal-mapping.ts'

const documented = 'RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L,RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L,DEFAULT'

test.each([
  [documented, 'CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=Unknown', 'serviceuser'],
  [documented, 'CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown', 'adminuser@admin'],
  [documented, 'OU=x,CN=Some.Body,O=y', 'some.body'],
  [documented, 'O=Nobody', 'O=Nobody'],
  ['', 'CN=a', 'CN=a'],
  ['RULE:^CN=(\\w+)$/$1/U', 'CN=abc', 'ABC'],
  ['RULE:^CN=(\\w+)$/$1/', 'CN=abc,O=x', null],
  ['RULE:^CN=(.*)\\/(.*)$/$2\\/$1/', 'CN=a/b', 'b/a'],
])('%s: %s is %s', (rules, name, expected) => {
  expect(principalMapping(rules)(name)).toBe(expected)
})

test.each(['RULE:CN=(.*)', 'RULE:(/$1/', 'default', 'DEFAULT;DEFAULT'])('%s cannot be read', rules => {
  expect(() => principalMapping(rules)).toThrow(expect.objectContaining({ code: 'BAD_SETTING' }) as Error)
})

/** What `X509Certificate.getSubjectX500Principal().getName()` of OpenJDK 17 says of these. */
test.each([
  ['/C=DE/O=Example, Inc./OU=one/OU=two/CN=#a\\+b ', 'CN=\\#a\\+b\\ ,OU=two,OU=one,O=Example\\, Inc.,C=DE'],
  ['/DC=org/DC=example/UID=alice/CN=Alice "A" <x>;\\\\y=z', 'CN=Alice \\"A\\" \\<x\\>\\;\\\\y\\=z,UID=alice,DC=example,DC=org'],
  ['/OU=a/O=x/OU=b/CN=order', 'CN=order,OU=b,O=x,OU=a'],
  ['/CN=mail/emailAddress=a@b.c/serialNumber=12/title=Dr', '2.5.4.12=#0c024472,2.5.4.5=#13023132,1.2.840.113549.1.9.1=#16056140622e63,CN=mail'],
  ['/CN=Jürgen Müller/L=Köln/ST=NRW/street=Way 1', 'STREET=Way 1,ST=NRW,L=Köln,CN=Jürgen Müller'],
  ['/CN=two+OU=multi/O=v', 'O=v,CN=two+OU=multi'],
  ['/CN= lead and trail ', 'CN=\\ lead and trail\\ '],
])('a name is written as Java writes it: %s', (subject, expected) => {
  const pem = execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null', '-days', '2', '-utf8', '-multivalue-rdn', '-subj', subject], { stdio: ['ignore', 'pipe', 'pipe'] })
  expect(distinguishedName(new X509Certificate(pem).raw)).toBe(expected)
})

test('what is no certificate is refused, wherever it is cut', () => {
  const pem = execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null', '-days', '2', '-subj', '/CN=a'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const { raw } = new X509Certificate(pem)
  for (let length = 0; length < raw.length; length++) expect(() => distinguishedName(raw.subarray(0, length))).toThrow(expect.objectContaining({ code: 'MALFORMED_DER' }) as Error)
})
