// Lets Node keep the compiled code of this package between runs, where it can (Node 22.8 and later): the command starts sooner.

import * as nodeModule from 'node:module'

export function enableCompileCache(): void {
  const { enableCompileCache: enable } = nodeModule as unknown as { readonly enableCompileCache?: () => unknown }
  enable?.()
}
