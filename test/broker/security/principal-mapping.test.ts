// What a broker calls the owner of a certificate: the examples of Apache Kafka's documentation, and rules that cannot be.

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

test('a name is written as Java writes it: the last part first, with what means something escaped', () => {
  const subject = Object.assign(Object.create(null) as object, { C: 'DE', O: 'Example, Inc.', OU: ['one', 'two'], CN: '#a+b ' })
  expect(distinguishedName(subject as never)).toBe('CN=\\#a\\+b\\ ,OU=two,OU=one,O=Example\\, Inc.,C=DE')
})
