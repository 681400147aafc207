/** The thread that hears frames, on the two ends of a veth pair in a network namespace of its own. */
import { enterNamespace } from './in-namespace.ts'

if (await enterNamespace(import.meta.url)) {
  await import('./frames-cases.ts')
}
