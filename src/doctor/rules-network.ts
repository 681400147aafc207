/** Interfaces, their settings, and what stands on them. */
import { parseIp, sharePrefix } from '../base/ip.ts'
import type { Found } from './codes.ts'
import type { Facts, InstanceFact, LinkFact } from './facts.ts'

type Standing = {
  readonly facts: Facts
  readonly instance: InstanceFact
  readonly link: LinkFact
  /** `ipv4/conf/NAME` of the interface and `all`, whichever is larger, as the kernel takes rp_filter and arp_ignore. */
  setting(name: string): number
}

export function networkRules(facts: Facts): readonly Found[] {
  const { config, host } = facts
  if (config === null || host.links === null) return []
  const links = host.links
  return config.instances.flatMap((instance) => {
    if (instance.interface === null) return []
    const link = links.find(({ name }) => name === instance.interface)
    if (link === undefined) return [missing(instance)]
    const setting = (name: string) =>
      Math.max(
        ...['all', link.name].map((of) => Number(host.sysctls[`net/ipv4/conf/${of}/${name}`] ?? 0)),
      )
    const standing: Standing = { facts, instance, link, setting }
    return rules.flatMap((rule) => rule(standing))
  })
}

const missing = ({ name, interface: link }: InstanceFact): Found => ({
  code: 'interface-missing',
  about: name,
  what: `there is no interface ${link}`,
  mend: 'ip link show',
})

const flags = ({ instance, link }: Standing): readonly Found[] => {
  const down = !link.flags.includes('UP') || link.flags.includes('NO-CARRIER')
  const deaf = instance.peers === null && !link.flags.includes('MULTICAST')
  return [
    ...(down
      ? [
          {
            code: 'interface-down' as const,
            about: instance.name,
            what: link.flags.includes('UP')
              ? `${link.name} has no carrier`
              : `${link.name} is down`,
            mend: `ip link set ${link.name} up`,
          },
        ]
      : []),
    ...(deaf
      ? [
          {
            code: 'no-multicast' as const,
            about: instance.name,
            what: `${link.name} does no multicast, and ${instance.name} has no unicast_peer`,
            mend: `ip link set ${link.name} multicast on`,
          },
        ]
      : []),
  ]
}

/** Octets of the IP header, of VRRP's, of an address, and of the authentication data of version 2. */
const sizes = { 4: { ip: 20, vrrp: 8, address: 4 }, 6: { ip: 40, vrrp: 8, address: 16 } } as const
const passwordOctets = 8

const size = ({ instance, link }: Standing): readonly Found[] => {
  const { ip, vrrp, address } = sizes[instance.family]
  const octets =
    ip + vrrp + address * instance.advertised + (instance.version === 2 ? passwordOctets : 0)
  if (octets <= link.mtu) return []
  return [
    {
      code: 'mtu-small',
      about: instance.name,
      what: `an advert of ${instance.advertised} addresses takes ${octets} octets, and the MTU of ${link.name} is ${link.mtu}`,
      mend: `move addresses to virtual_ipaddress_excluded, or: ip link set ${link.name} mtu ${octets}`,
    },
  ]
}

/** Strict filtering is harmless as long as there is one way only. */
const reversePath = ({ facts, instance, link, setting }: Standing): readonly Found[] => {
  if (setting('rp_filter') !== 1) return []
  const other = (facts.host.links ?? []).find(
    (it) => it.name !== link.name && it.flags.includes('UP') && sameNetwork(it, link),
  )
  if (other === undefined && !instance.vmac) return []
  const two = other === undefined ? 'use_vmac adds a second' : `${other.name} is in it too`
  return [
    {
      code: 'rp-filter-strict',
      about: instance.name,
      what: `rp_filter is strict (1) on ${link.name}, and it is not the only interface in its network: ${two}`,
      mend: `sysctl -w net.ipv4.conf.${link.name}.rp_filter=2`,
    },
  ]
}

const sameNetwork = (a: LinkFact, b: LinkFact): boolean =>
  a.addresses.some((one) =>
    b.addresses.some(
      (two) => one.prefixLength < 32 && within(one.address, two.address, one.prefixLength),
    ),
  )

function within(a: string, b: string, length: number): boolean {
  const [one, two] = [parseIp(a), parseIp(b)]
  if (one === null || two === null || one.includes(':') || two.includes(':')) return false
  return sharePrefix(one, two, length)
}

const noArpReply = 8

const arp = ({ facts, instance, link, setting }: Standing): readonly Found[] => {
  if (instance.family !== 4) return []
  const found: Found[] = []
  if (setting('arp_ignore') === noArpReply)
    found.push({
      code: 'arp-not-answered',
      about: instance.name,
      what: `arp_ignore is 8 on ${link.name}: no ARP request for its addresses is answered`,
      mend: `sysctl -w net.ipv4.conf.${link.name}.arp_ignore=0 (and of all)`,
    })
  const filtered = setting('arp_filter') === 1
  const own = (name: string) => facts.host.sysctls[`net/ipv4/conf/${link.name}/${name}`] === '1'
  const twoWays = (facts.host.links ?? []).some(
    (it) => it.name !== link.name && sameNetwork(it, link),
  )
  if (filtered && twoWays)
    found.push({
      code: 'arp-filter',
      about: instance.name,
      what: `arp_filter is 1 on ${link.name}, and another interface is in the same network`,
      mend: `sysctl -w net.ipv4.conf.${link.name}.arp_filter=0`,
    })
  if (own('arp_ignore') && own('arp_filter') && facts.host.keepalived?.length === 0)
    found.push({
      code: 'keepalived-sysctls',
      about: instance.name,
      what: `arp_ignore and arp_filter of ${link.name} are 1 as keepalived sets them, and no keepalived runs`,
      mend: `sysctl -w net.ipv4.conf.${link.name}.arp_ignore=0 net.ipv4.conf.${link.name}.arp_filter=0`,
    })
  return found
}

const secondaries = ({ instance, link, setting }: Standing): readonly Found[] => {
  if (instance.promoteSecondaries || setting('promote_secondaries') !== 0) return []
  const virtual = new Set(instance.addresses.map(({ address }) => address))
  const below = instance.addresses.find((vip) =>
    link.addresses.some(
      (own) =>
        own.prefixLength === vip.prefixLength &&
        vip.prefixLength < 32 &&
        !virtual.has(own.address) &&
        within(own.address, vip.address, vip.prefixLength),
    ),
  )
  if (below === undefined) return []
  return [
    {
      code: 'promote-secondaries',
      about: instance.name,
      what: `${below.address}/${below.prefixLength} is a secondary address on ${link.name}, and promote_secondaries is 0`,
      mend: `promote_secondaries in ${instance.name}, or a prefix length of 32`,
    },
  ]
}

const nonlocal = ({ facts, instance }: Standing): readonly Found[] => {
  const family = instance.family === 4 ? 'ipv4' : 'ipv6'
  const value = facts.host.sysctls[`net/${family}/ip_nonlocal_bind`]
  if (value !== '0' || instance.addresses.length === 0) return []
  return [
    {
      code: 'nonlocal-bind',
      about: null,
      what: `net.${family}.ip_nonlocal_bind is 0`,
      mend: `sysctl -w net.${family}.ip_nonlocal_bind=1, where a service binds to the address itself`,
    },
  ]
}

const ipv6 = ({ facts, instance, link }: Standing): readonly Found[] => {
  const addresses = instance.addresses.filter(({ address }) => address.includes(':'))
  if (addresses.length === 0) return []
  const own = (name: string) => facts.host.sysctls[`net/ipv6/conf/${link.name}/${name}`]
  const disabled = own('disable_ipv6') === '1'
  const strict = own('accept_dad') === '2' && addresses.some(({ nodad }) => !nodad)
  return [
    ...(disabled
      ? [
          {
            code: 'ipv6-disabled' as const,
            about: instance.name,
            what: `IPv6 is disabled on ${link.name}`,
            mend: `sysctl -w net.ipv6.conf.${link.name}.disable_ipv6=0`,
          },
        ]
      : []),
    ...(strict
      ? [
          {
            code: 'accept-dad' as const,
            about: instance.name,
            what: `accept_dad is 2 on ${link.name}, and an address of ${instance.name} has -nodad`,
            mend: `sysctl -w net.ipv6.conf.${link.name}.accept_dad=1`,
          },
        ]
      : []),
  ]
}

/** Groups of 224.0.0.0/24 are forwarded by every switch; those of others, and of IPv6, where a listener is known. */
const snooping = ({ facts, instance, link }: Standing): readonly Found[] => {
  if (instance.group === null || instance.group.startsWith('224.0.0.')) return []
  const name = link.master ?? link.name
  const bridge = (facts.host.links ?? []).find((it) => it.name === name)
  if (bridge === undefined || !bridge.snooping || bridge.querier) return []
  return [
    {
      code: 'snooping-without-querier',
      about: instance.name,
      what: `bridge ${bridge.name} snoops multicast and is no querier; ${instance.group} needs one on the segment`,
      mend: `ip link set ${bridge.name} type bridge mcast_querier 1`,
    },
  ]
}

const rules: readonly ((standing: Standing) => readonly Found[])[] = [
  flags,
  size,
  reversePath,
  arp,
  secondaries,
  nonlocal,
  ipv6,
  snooping,
]
