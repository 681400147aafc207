/** One step of a plan leaves a simulated host: for its kernel, or for the segment, as far as the kernel lease lets it. */
import type { LinkSpec } from '../../src/engine/contract.ts'
import type { SlotId, Step } from '../../src/engine/order.ts'
import type { Host } from './host.ts'
import type { Surroundings } from './witness.ts'

/** `spec`: of the link of a datagram; null: the link is closed. */
export function depart(
  host: Host,
  { lan, witness }: Surroundings,
  slot: SlotId,
  step: Step,
  spec: LinkSpec | null,
): void {
  if (step.kind === 'netlink') return host.kernel.carryOut(step.bytes)
  const fate = host.lease?.leaving(step) ?? 'out'
  if (fate === 'taken') return
  if (step.kind === 'datagram') witness.sent(host, slot, step.bytes)
  if (!host.kernel.up || fate === 'dropped') return
  if (step.kind === 'frame') return host.emit(step.bytes)
  if (spec === null) return
  const { to, bytes } = step
  if (bytes[2] !== 0) host.noteAdvert()
  lan.send(host.port, { from: spec.source, to, ttl: spec.ttl ?? 64, bytes, valid: true })
}
