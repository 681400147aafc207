/** The real engine on a veth pair between two network namespaces. */
import { enterNamespace } from './in-namespace.ts'

if (await enterNamespace(import.meta.url)) {
  await import('./wire-cases.ts')
  await import('./gate-cases.ts')
  await import('./kernel-cases.ts')
  await import('./warden-cases.ts')
  await import('./warden-exchange-cases.ts')
  await import('./contention-cases.ts')
}
