/** The BFD sessions of one thread become another's, through the same sockets. */
import { enterNamespace } from './in-namespace.ts'

if (await enterNamespace(import.meta.url)) {
  await import('./bfd-succession-cases.ts')
}
