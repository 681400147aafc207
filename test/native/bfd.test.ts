/** The BFD sessions of the addon between two processes, each in a network namespace of its own. */
import { enterNamespace } from './in-namespace.ts'

if (await enterNamespace(import.meta.url)) {
  await import('./bfd-cases.ts')
  await import('./bfd-standstill-cases.ts')
}
