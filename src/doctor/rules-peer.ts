/** The other hosts of the segment, as far as the wire tells. */
import type { StatusInstance } from '../report/status.ts'
import type { Found } from './codes.ts'
import type { Facts } from './facts.ts'

export const peerRules = (facts: Facts): readonly Found[] => [
  ...(facts.status?.instances ?? []).flatMap((one) => [
    ...unheard(one, facts),
    ...disagreeing(one),
    ...clocks(one, facts),
  ]),
  ...silent(facts),
  ...(facts.status?.unknownVrids ?? []).map(
    ({ interface: link, vrid, from }): Found => ({
      code: 'unknown-vrid',
      about: link,
      what: `adverts of VRID ${vrid} are heard on ${link} (first from ${from}), and no instance here has it`,
      mend: 'compare virtual_router_id on both hosts',
    }),
  ),
]

/** The address that was given up for dead when this host took over; null: it took over otherwise. */
export function lostMaster(one: Pick<StatusInstance, 'state' | 'history'>): string | null {
  if (one.state !== 'MASTER') return null
  const last = one.history.findLast(({ to }) => to === 'MASTER')
  if (last === undefined || !last.why.includes('timed out')) return null
  return /(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]*:[0-9a-f:]+/i.exec(last.why)?.[0] ?? null
}

/** A backup needs some time to come. */
const aloneMs = 60_000

function unheard(one: StatusInstance, { host, config, status }: Facts): readonly Found[] {
  if (one.state !== 'MASTER') return []
  const lost = lostMaster(one)
  const answers = (address: string) =>
    host.neighbours.some((it) => it.address === address && it.answers)
  if (lost !== null && answers(lost))
    return [
      {
        code: 'peer-unheard',
        about: one.name,
        what: `${lost} led before and fell silent, and its host answers`,
        mend: `on ${lost}: vipd status; vipd doctor; here: tcpdump -ni ${one.interface} host ${lost}`,
      },
    ]
  if (one.adverts.received > 0 || (status?.uptimeMs ?? 0) < aloneMs) return []
  const peers = config?.instances.find(({ name }) => name === one.name)?.peers ?? []
  const alive = peers.filter(answers)
  const but = alive.length === 0 ? '' : `; the host of ${alive.join(', ')} answers`
  return [
    {
      code: 'no-second-host',
      about: one.name,
      what: `no other router of VRID ${one.vrid} has been heard since the start${but}`,
      mend: 'vipd status on the other host: it must be BACKUP and name this one as its master',
    },
  ]
}

function silent({ config, host }: Facts): readonly Found[] {
  return (config?.instances ?? []).flatMap(({ name, peers }) =>
    (peers ?? [])
      .filter((peer) => host.neighbours.some((it) => it.address === peer && !it.answers))
      .map(
        (peer): Found => ({
          code: 'peer-silent',
          about: name,
          what: `the host of unicast_peer ${peer} does not answer`,
          mend: `ip route get ${peer}; ip neigh show to ${peer}`,
        }),
      ),
  )
}

function disagreeing(one: StatusInstance): readonly Found[] {
  const found: Found[] = one.ignored.map(({ from, why, explanation }) => ({
    code: 'peer-ignored',
    about: one.name,
    what: `adverts of ${from} are refused (${why}): ${explanation}`,
    mend: `compare the vrrp_instance on ${from}: version, advert_int, authentication, addresses`,
  }))
  const { master, checksums } = one
  if (master !== null && !master.self && master.priority === one.effectivePriority)
    found.push({
      code: 'equal-priority',
      about: one.name,
      what: `${master.address} and this host both have priority ${master.priority}`,
      mend: `another priority for ${one.name} on one of the hosts`,
    })
  if (checksums !== null && checksums['pseudo-header'] > 0 && checksums.message > 0)
    found.push({
      code: 'two-checksum-forms',
      about: one.name,
      what: `${checksums['pseudo-header']} adverts have a checksum over the pseudo-header, ${checksums.message} one without`,
      mend: 'the same vrrp_version and release on every host, or v3_checksum_type on the keepalived',
    })
  return found
}

/** A skew of so much of the window is worth a word. */
const skewShare = 0.5

function clocks({ name, authentication }: StatusInstance, { config }: Facts): readonly Found[] {
  const window = config?.instances.find((it) => it.name === name)?.hmacWindow
  if (authentication === null || window === null || window === undefined) return []
  return authentication.senders
    .filter(({ skewSeconds }) => Math.abs(skewSeconds) > window * skewShare)
    .map(
      ({ address, skewSeconds }): Found => ({
        code: 'clock-skew',
        about: name,
        what: `the clock of ${address} is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'ahead of' : 'behind'} ours, and the window is ${window} s`,
        mend: 'timedatectl set-ntp true, on both hosts',
      }),
    )
}
