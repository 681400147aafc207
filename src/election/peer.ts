/**
 * Is there a peer to hand over to? A backup is silent, so what a master knows of its peer is what it heard of it before:
 * while it was itself a backup, or as the other spoke beside it. That counts until the peer resigns or times out as a
 * master, or until a hand-over in its favour has been tried.
 *
 * With such a peer a master whose priority sinks below the peer's (a weighted script or link fails) need not wait for the
 * peer to miss its adverts (RFC 9568 section 6.4.2 discards lower ones, so that takes a down interval): priority 0 lets
 * the peer take over after its skew time (section 6.4.2 as well), as at an orderly stop. If no peer does, the former
 * master comes back after its own down interval.
 */
import type { Advert, Machine, Params, Peer, Step } from './types.ts'

/** An advert was heard. One with our own address (a loop on the segment, an address used twice) is no peer's. */
export function heardFrom(params: Params, machine: Machine, { from, priority }: Advert): Machine {
  if (from === params.source) return machine
  const peer = machine.peer ?? null
  if (priority === 0) return peer?.address === from ? { ...machine, peer: null } : machine
  if (peer !== null && peer.address !== from && peer.priority > priority) return machine
  if (peer?.address === from && peer.priority === priority) return machine
  return { ...machine, peer: { address: from, priority } }
}

/** A peer that was master and fell silent is gone. */
export function withoutSilent(step: Step): Step {
  const { machine } = step
  const peer = machine.peer ?? null
  const silent = step.effects.some(
    (e) =>
      e.kind === 'transition' &&
      e.cause.kind === 'timeout' &&
      e.cause.master?.address === peer?.address,
  )
  return peer !== null && silent ? { ...step, machine: { ...machine, peer: null } } : step
}

/** In whose favour a master resigns whose priority becomes `effective`; null: in no peer's. */
export function heirOf(params: Params, machine: Machine, effective: number): Peer | null {
  const peer = machine.peer ?? null
  if (!params.resignOnDemotion || peer === null) return null
  return effective < machine.effective && effective < peer.priority ? peer : null
}
