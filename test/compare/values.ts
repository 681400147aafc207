/** vipd's effective values of one instance, as `vipd check --json` prints them, in the words of keepalived's dump. */

export type Values = Readonly<Record<string, string>>

type Address = { readonly address: string; readonly prefixLength: number }
type Tracked = { readonly name: string }

/** The part of the instance in `vipd check --json` that is compared. */
export type CheckedInstance = {
  readonly name: string
  readonly interface: string | null
  readonly family: 4 | 6
  readonly version: number
  readonly vrid: number
  readonly priority: number
  readonly advertIntervalUs: number
  readonly downTimerAdverts: number
  readonly password: string | null
  readonly addresses: readonly Address[]
  readonly excluded: readonly Address[]
  readonly transport: {
    readonly kind: 'multicast' | 'unicast'
    readonly group?: string
    readonly ttl?: number | null
    readonly checkSource?: boolean
    readonly peers?: readonly {
      readonly address: string
      readonly minTtl: number
      readonly maxTtl: number
    }[]
  }
  readonly preempt: boolean
  readonly preemptDelayUs: number
  readonly accept: boolean
  readonly trackChecks: readonly Tracked[]
  readonly trackInterfaces: readonly Tracked[]
  readonly garp: {
    readonly masterDelayUs: number
    readonly masterRepeat: number
    readonly masterRefreshUs: number
    readonly lowerPrioDelayUs: number
    readonly lowerPrioRepeat: number
  }
  readonly notify: { readonly mail: boolean; readonly saysDeleted: boolean }
}

const wholeSeconds = (us: number): string => String(us / 1_000_000)
const names = (tracked: readonly Tracked[]): string =>
  tracked.map(({ name }) => name.replace(/^.*\//, '')).join(' ')
const checks = ({ trackChecks }: CheckedInstance, kind: RegExp): readonly Tracked[] =>
  trackChecks.filter(({ name }) => kind.test(name))

export function valuesOf(instance: CheckedInstance): Values {
  const { garp, transport, notify } = instance
  const values: Record<string, string | null> = {
    interface: instance.interface,
    version: String(instance.version),
    vrid: String(instance.vrid),
    priority: String(instance.priority),
    advert_int: String(instance.advertIntervalUs / 1_000),
    down_timer_adverts: String(instance.downTimerAdverts),
    preempt: String(instance.preempt),
    preempt_delay: instance.preemptDelayUs === 0 ? null : wholeSeconds(instance.preemptDelayUs),
    accept: String(instance.accept),
    auth: instance.version === 2 ? (instance.password === null ? 'none' : 'PASS') : null,
    addresses: listed(instance.addresses),
    excluded: listed(instance.excluded),
    track_script: names(checks(instance, /^[^/]+$/)),
    track_file: names(checks(instance, /^file\//)),
    track_process: names(checks(instance, /^process\//)),
    track_interface: names(instance.trackInterfaces),
    garp_master_delay: wholeSeconds(garp.masterDelayUs),
    garp_master_repeat: String(garp.masterRepeat),
    garp_master_refresh: wholeSeconds(garp.masterRefreshUs),
    garp_lower_prio_delay: wholeSeconds(garp.lowerPrioDelayUs),
    garp_lower_prio_repeat: String(garp.lowerPrioRepeat),
    smtp_alert: String(notify.mail),
    notify_deleted: notify.saysDeleted ? 'DELETED' : 'FAULT',
    ...transportOf(transport, instance.family),
  }
  const kept = Object.entries(values).filter(([, value]) => value !== null && value !== '')
  return Object.fromEntries(kept) as Values
}

function transportOf(
  { kind, group = '', ttl, checkSource = false, peers = [] }: CheckedInstance['transport'],
  family: 4 | 6,
): Record<string, string | null> {
  if (kind === 'multicast') return { group }
  return {
    unicast_ttl: String(ttl ?? (family === 4 ? 255 : 64)),
    check_unicast_src: String(checkSource),
    peers: peers.map((p) => `${p.address} min_ttl ${p.minTtl} max_ttl ${p.maxTtl}`).join(' '),
  }
}

/** The dump leaves out the prefix length of a host. */
const listed = (all: readonly Address[]): string =>
  all
    .map(({ address, prefixLength }) => {
      const longest = address.includes(':') ? 128 : 32
      return prefixLength === longest ? address : `${address}/${prefixLength}`
    })
    .join(' ')
