/** Whether nftables lets through what the configuration sends and hears. */
import type { Found } from './codes.ts'
import type { Facts, InstanceFact } from './facts.ts'
import { fatesOf } from './ruleset.ts'
import type { Packet } from './ruleset-match.ts'

type Flow = {
  readonly about: string
  readonly packet: Omit<Packet, 'hook'>
  /** As an operator names it. */
  readonly what: string
  /** What a rule that accepts it matches. */
  readonly match: string
}

const vrrp = { name: 'vrrp', number: 112 }
const ah = { name: 'ah', number: 51 }
const udp = { name: 'udp', number: 17 }

export function firewallRules({ host, config }: Facts): readonly Found[] {
  const { ruleset } = host
  if (ruleset === null || config === null) return []
  const flows = [
    ...config.instances.flatMap(advertsOf),
    ...config.bfd.map(({ neighbor, multihop }): Flow => {
      const port = multihop ? 4784 : 3784
      return {
        about: neighbor,
        packet: {
          family: neighbor.includes(':') ? 6 : 4,
          protocol: udp,
          interface: null,
          source: neighbor,
          destination: null,
          port,
        },
        what: `BFD (UDP port ${port})`,
        match: `udp dport ${port}`,
      }
    }),
  ]
  return flows.flatMap((flow) =>
    (['input', 'output'] as const).flatMap((hook) =>
      fatesOf(ruleset, facing(flow.packet, hook)).map(({ sure, chain }): Found => {
        const how = sure ? 'drops' : 'may drop'
        return {
          code: sure ? 'firewall-drops' : 'firewall-may-drop',
          about: flow.about,
          what: `nftables chain ${chain} ${how} ${flow.what} (${hook})`,
          mend: `nft insert rule ${chain} ${flow.match} accept`,
        }
      }),
    ),
  )
}

/** What leaves goes to where the other's comes from. */
const facing = (packet: Omit<Packet, 'hook'>, hook: Packet['hook']): Packet =>
  hook === 'input' || packet.destination !== null
    ? { ...packet, hook, source: hook === 'input' ? packet.source : null }
    : { ...packet, hook, source: null, destination: packet.source }

function advertsOf(instance: InstanceFact): readonly Flow[] {
  const protocol = instance.ah ? ah : vrrp
  const to = instance.peers === null ? instance.group : null
  const text = instance.ah ? 'AH (protocol 51)' : 'VRRP (protocol 112)'
  return (instance.peers ?? [null]).map((source) => ({
    about: instance.name,
    packet: {
      family: instance.family,
      protocol,
      interface: instance.interface,
      source,
      destination: to,
      port: null,
    },
    what: to === null ? `${text} from and to ${source}` : `${text} to ${to}`,
    match: `meta l4proto ${protocol.number}`,
  }))
}
