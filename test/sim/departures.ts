/** One step of a plan leaves a simulated host: for its kernel, or for the segment, as far as the kernel lease lets it. */
import type { LinkSpec } from '../../src/engine/contract.ts'
import type { SlotId, Step } from '../../src/engine/order.ts'
import type { Host } from './host.ts'
import { isNote } from './kernel-lease.ts'
import type { Process } from './process.ts'
import { signedOf, ttlOf } from './seals.ts'
import type { Surroundings } from './witness.ts'

/** `by`: the process whose plan it is. `spec`: of the link of a datagram; null: the link is closed. */
export function depart(
  host: Host,
  by: Process,
  { lan, witness }: Surroundings,
  slot: SlotId,
  step: Step,
  spec: LinkSpec | null,
): void {
  if (step.kind === 'netlink') return host.kernel.carryOut(step.bytes)
  if (step.kind === 'frame' || isNote(step)) {
    if (host.lease?.leaving(step) !== 'taken' && host.kernel.up) host.emit(step.bytes)
    return
  }
  const signed = signedOf(step.bytes, spec ?? {})
  const fate = host.lease?.leaving({ ...step, bytes: signed.bytes }) ?? 'out'
  witness.sent(host, by, slot, signed)
  if (!host.kernel.up || fate === 'dropped' || spec === null) return
  if (signed.bytes[2] !== 0) host.noteAdvert()
  const ttl = ttlOf(signed, spec.ttl ?? 64)
  lan.send(host.port, { ...signed, from: spec.source, to: step.to, ttl, valid: true })
}
