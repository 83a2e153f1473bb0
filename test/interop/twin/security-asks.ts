// Questions about who may come and what he may do, of brokers that ask nobody who he is; and what clients ask first.

import type { Body } from './plain-answer.ts'
import { many } from './record-asks.ts'
import type { World } from './world.ts'

export function apiVersionsAsk(world: World): Body {
  const name = (): string => world.pick(['twin', 'a-b.c', '1', '', '-a', 'a.', 'a b', 'é', 'x'.repeat(300)])
  return { clientSoftwareName: name(), clientSoftwareVersion: name() }
}

export function saslHandshakeAsk(world: World): Body {
  return { mechanism: world.pick(['PLAIN', 'SCRAM-SHA-256', 'GSSAPI', 'nonsense', '']) }
}

export function saslAuthenticateAsk(): Body {
  return { authBytes: { bytes: '\0user\0password' } }
}

export function createAclsAsk(world: World): Body {
  return { creations: many(world, () => ({ resourceType: world.pick([2, 3, 4, 0]), resourceName: world.pick(['~a', '', '*']), resourcePatternType: world.pick([3, 4, 1]), principal: world.pick(['User:u', 'u', '']), host: world.pick(['*', '']), operation: world.pick([2, 3, 0]), permissionType: world.pick([2, 3, 1]) })) }
}

export function deleteAclsAsk(world: World): Body {
  return { filters: many(world, () => ({ resourceTypeFilter: world.pick([1, 2]), resourceNameFilter: world.pick([null, '~a']), patternTypeFilter: world.pick([1, 3]), principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 })) }
}

const users = ['~u', '~v'] as const

export function describeScramAsk(world: World): Body {
  return { users: world.chance(4) ? world.pick([null, []]) : many(world, () => world.pick([...users, ''])).map(name => ({ name })) }
}

export function alterScramAsk(world: World): Body {
  const mechanism = (): number => world.pick([1, 1, 2, 2, ...(world.chance(5) ? [0, 3, -1] : [])])
  const isUpsertion = !world.chance(3)
  return {
    deletions: isUpsertion && !world.chance(6) ? [] : many(world, () => ({ name: world.pick(users), mechanism: mechanism() })),
    upsertions: isUpsertion ? many(world, () => ({ name: world.chance(10) ? '' : world.pick(users), mechanism: mechanism(), iterations: world.pick([4096, 8192, 16_384, ...(world.chance(4) ? [0, -1, 4095, 16_385] : [])]), salt: { bytes: world.chance(10) ? '' : 'salt' }, saltedPassword: { bytes: world.chance(10) ? '' : 'salted password' } })) : [],
  }
}
