/** The running instances as the looks at the network want them. */
import type { Participant } from '../binding/other-transport.ts'
import type { Leader } from '../binding/same-host.ts'
import type { RunningInstance } from './instance.ts'

/** Nothing of an instance without sockets. */
export function participantOf(instance: RunningInstance): readonly Participant[] {
  const { slot, name, cfg, state, binding } = instance
  const { primary, link, source } = binding
  if (primary === null || link === null || source === null) return []
  const { family, vrid, advertIntervalUs, transport } = cfg
  const peers = transport.kind === 'unicast' ? transport.peers.map((peer) => peer.address) : null
  const on = { interface: primary.name, ifindex: primary.ifindex, peers, source }
  const ah = cfg.ahKey !== null
  const since = state.kind === 'master' ? state.since : null
  return [{ slot, name, family, vrid, advertIntervalUs, ...on, ah, since }]
}

/** Adverts to a group alone: those to unicast peers may share a VRID, and each peer gets one. */
export function leaderOf({ slot, name, cfg, state, binding }: RunningInstance): readonly Leader[] {
  const { primary, link } = binding
  if (state.kind !== 'master' || cfg.transport.kind !== 'multicast') return []
  if (primary === null || link === null) return []
  const { family, vrid, advertIntervalUs } = cfg
  const { since } = state
  const on = { interface: primary.name, ifindex: primary.ifindex }
  return [{ slot, name, family, vrid, ...on, advertIntervalUs, since }]
}
