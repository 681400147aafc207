/** What the rules judge: plain values, as collect/ reads them. `null` is what could not be read; `unseen` says why. */
import type { Status } from '../report/status.ts'

export type VipFact = {
  readonly address: string
  readonly prefixLength: number
  readonly interface: string | null
  /** Duplicate address detection is skipped. */
  readonly nodad: boolean
}

export type InstanceFact = {
  readonly name: string
  readonly interface: string | null
  readonly vrid: number
  readonly family: 4 | 6
  readonly version: 2 | 3
  readonly advertMs: number
  readonly downTimerAdverts: number
  readonly addresses: readonly VipFact[]
  /** Only these are carried by adverts. */
  readonly advertised: number
  /** null: multicast. */
  readonly peers: readonly string[] | null
  readonly group: string | null
  readonly ah: boolean
  /** Seconds; null: not signed, or not by the clock. */
  readonly hmacWindow: number | null
  readonly vmac: boolean
  readonly ipvlan: boolean
  readonly accept: boolean
  readonly promoteSecondaries: boolean
  readonly claimCheck: 'off' | 'start' | 'always'
  /** virtual_routes or virtual_rules are there. */
  readonly routes: boolean
}

export type ConfigFact = {
  readonly path: string
  /** The daemon would start with it. */
  readonly runs: boolean
  readonly exit: number
  /** `place: message [code]`, errors and warnings. */
  readonly mistakes: readonly string[]
  readonly instances: readonly InstanceFact[]
  readonly bfd: readonly { readonly neighbor: string; readonly multihop: boolean }[]
  readonly realtimePriority: number
  readonly noSwap: boolean
  readonly netNamespace: string | null
  readonly kernelLease: 'on' | 'off' | 'auto'
}

export type LinkFact = {
  readonly name: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly master: string | null
  /** Of a bridge. */
  readonly snooping: boolean
  readonly querier: boolean
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[]
}

/** A VRRP daemon of this host that is not the one that was asked. */
export type OtherDaemon = {
  readonly kind: 'keepalived' | 'vipd'
  /** Its process id, or its run directory. */
  readonly where: string
  /** null: its configuration could not be read. */
  readonly instances:
    | readonly Pick<InstanceFact, 'name' | 'interface' | 'vrid' | 'family' | 'addresses'>[]
    | null
}

export type ProcessFact = {
  readonly pid: number
  /** Bits of CapEff. */
  readonly capabilities: readonly number[]
  /** RLIMIT_RTPRIO; Infinity has no JSON: a large number. */
  readonly realtimeLimit: number
  readonly swappedKib: number
}

export type HostFact = {
  /** Effective user. */
  readonly uid: number
  readonly ownCapabilities: readonly number[] | null
  readonly links: readonly LinkFact[] | null
  /** Below /proc/sys: `net/ipv4/conf/eth0/rp_filter` → `1`. */
  readonly sysctls: Readonly<Record<string, string>>
  /** The list of `nft -j list ruleset`. */
  readonly ruleset: readonly unknown[] | null
  readonly keepalived: readonly OtherDaemon[] | null
  /** Of the daemon that answered. */
  readonly process: ProcessFact | null
  /** How long after the daemon its warden was started; null: not known. */
  readonly wardenLaterMs: number | null
  readonly neighbours: readonly { readonly address: string; readonly answers: boolean }[]
  readonly networkd: {
    /** Interfaces that it manages without KeepConfiguration. */
    readonly removes: readonly { readonly interface: string; readonly file: string }[]
    readonly managesRoutes: boolean
  } | null
  readonly networkManager: readonly string[] | null
  /** null: nothing tells. */
  readonly clockSynchronised: boolean | null
  /** Bytes; null: none. */
  readonly memoryLimit: number | null
  readonly swapKib: number | null
  readonly unit: {
    readonly name: string
    readonly restart: string
    readonly watchdog: boolean
    readonly cleansUp: boolean
  } | null
  readonly hasNft: boolean | null
  /** '6.1.0-18-amd64' */
  readonly kernelRelease: string | null
  /** Kinds of links that the kernel can make; null: nothing tells. */
  readonly hasMacvlan: boolean | null
  readonly hasIpvlan: boolean | null
  readonly sysctlsReadOnly: boolean | null
}

export type Unseen = { readonly what: string; readonly why: string }

export type Facts = {
  readonly runDir: string
  /** `denied`: it may run, and was not to be asked; `silent`: it is there and does not answer in time. */
  readonly daemon: 'answers' | 'away' | 'denied' | 'silent'
  readonly status: Status | null
  /** What was read of the file. */
  readonly config: ConfigFact | null
  readonly others: readonly OtherDaemon[]
  readonly host: HostFact
  readonly unseen: readonly Unseen[]
}

export const nothingKnown: HostFact = {
  uid: 0,
  ownCapabilities: null,
  links: null,
  sysctls: {},
  ruleset: null,
  keepalived: null,
  process: null,
  wardenLaterMs: null,
  neighbours: [],
  networkd: null,
  networkManager: null,
  clockSynchronised: null,
  memoryLimit: null,
  swapKib: null,
  unit: null,
  hasNft: null,
  kernelRelease: null,
  hasMacvlan: null,
  hasIpvlan: null,
  sysctlsReadOnly: null,
}
