/** Other VRRP daemons on this host, and what they, or dead ones, have left. */
import type { Found } from './codes.ts'
import type { Facts, InstanceFact, OtherDaemon } from './facts.ts'

export const otherRules = (facts: Facts): readonly Found[] => [
  ...sameVrid(facts),
  ...tables(facts),
  ...leftAddresses(facts),
  ...foreignAddresses(facts),
]

const all = ({ others, host }: Facts): readonly OtherDaemon[] => [
  ...others,
  ...(host.keepalived ?? []),
]

function sameVrid(facts: Facts): readonly Found[] {
  const ours = facts.config?.instances ?? []
  return all(facts).flatMap((other): Found[] => {
    const { kind, where, instances } = other
    const who = kind === 'keepalived' ? `keepalived (process ${where})` : `the vipd of ${where}`
    const mend =
      kind === 'keepalived'
        ? 'systemctl disable --now keepalived, or give one of them another virtual_router_id'
        : 'stop one of them, or give one of them another virtual_router_id'
    const twice = ours.filter((one) => instances?.some((it) => sameRouter(one, it)))
    if (twice.length > 0)
      return twice.map((one) => ({
        code: 'same-vrid-here',
        about: one.name,
        what: `${who} has VRID ${one.vrid} on ${one.interface} too`,
        mend,
      }))
    if (kind === 'vipd') return []
    const unread = instances === null ? '; its configuration could not be read' : ''
    return [{ code: 'keepalived-runs', about: null, what: `${who} runs${unread}`, mend }]
  })
}

const sameRouter = (
  a: InstanceFact,
  b: Pick<InstanceFact, 'vrid' | 'interface' | 'family'>,
): boolean => a.vrid === b.vrid && a.interface === b.interface && a.family === b.family

function tables(facts: Facts): readonly Found[] {
  const { host, daemon, others } = facts
  const names = (host.ruleset ?? []).flatMap((item) => {
    const { table } = item as { table?: { family?: unknown; name?: unknown } }
    return table === undefined ? [] : [{ family: String(table.family), name: String(table.name) }]
  })
  const left = (pattern: RegExp) => names.filter(({ name }) => pattern.test(name))
  const keepalived = host.keepalived?.length === 0 ? left(/^keepalived(_\w+)?$/) : []
  // Which daemon a table belongs to is known to daemons; without any there is none to belong to.
  const ours =
    daemon === 'away' && others.length === 0 ? left(/^vipd_((run|lease)_[0-9a-f]{12}|\d+)$/) : []
  return [
    ...keepalived.map(
      ({ family, name }): Found => ({
        code: 'keepalived-table',
        about: null,
        what: `the nft table ${family} ${name} is there, and no keepalived runs`,
        mend: `nft delete table ${family} ${name}`,
      }),
    ),
    ...ours.map(
      ({ family, name }): Found => ({
        code: 'vipd-table',
        about: null,
        what: `the nft table ${family} ${name} is there, and no vipd runs`,
        mend: 'vipd cleanup',
      }),
    ),
  ]
}

/** Virtual addresses that the kernel holds and no daemon that runs here can have set. */
function leftAddresses(facts: Facts): readonly Found[] {
  const { daemon, config, host, runDir } = facts
  // Of a daemon that does not answer nothing is known; one that does compares for itself.
  if (daemon !== 'away' || config === null || host.links === null || host.keepalived === null)
    return []
  // A daemon whose addresses are not known may hold any.
  if (all(facts).some(({ instances }) => instances === null)) return []
  const theirs = new Set(
    all(facts).flatMap((it) => (it.instances ?? []).flatMap((one) => one.addresses.map(addressOf))),
  )
  return config.instances.flatMap(({ name, addresses }) =>
    addresses.flatMap((vip) => {
      const link = host.links?.find((it) => it.addresses.some((a) => a.address === vip.address))
      if (link === undefined || theirs.has(vip.address)) return []
      const found: Found = {
        code: 'left-address',
        about: name,
        what: `${link.name} holds ${vip.address}/${vip.prefixLength}, and no VRRP daemon runs that could have set it`,
        mend: `vipd cleanup --run-dir ${runDir}; where it stays: ip address del ${vip.address}/${vip.prefixLength} dev ${link.name}`,
      }
      return [found]
    }),
  )
}

const addressOf = ({ address }: { readonly address: string }): string => address

const foreignAddresses = ({ status }: Facts): readonly Found[] =>
  (status?.instances ?? []).flatMap(({ name, addresses }) =>
    addresses
      .filter(({ present, foreign }) => present && foreign)
      .map(
        (it): Found => ({
          code: 'foreign-address',
          about: name,
          what: `${it.address} on ${it.interface} was set by another program`,
          mend: `find what sets it (ifupdown, networkd, a script), then: ip address del ${it.address}/${it.prefixLength} dev ${it.interface}`,
        }),
      ),
  )
