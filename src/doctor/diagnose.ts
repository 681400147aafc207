/** From facts to findings. */
import { type Finding, findingsOf } from './codes.ts'
import type { Facts } from './facts.ts'
import { claimRules } from './rules-claims.ts'
import { daemonRules } from './rules-daemon.ts'
import { firewallRules } from './rules-firewall.ts'
import { hostRules } from './rules-host.ts'
import { networkRules } from './rules-network.ts'
import { otherRules } from './rules-others.ts'
import { peerRules } from './rules-peer.ts'

const rules = [
  daemonRules,
  claimRules,
  otherRules,
  firewallRules,
  networkRules,
  peerRules,
  hostRules,
] as const

export const diagnose = (facts: Facts): readonly Finding[] =>
  findingsOf(rules.flatMap((rule) => rule(facts)))
