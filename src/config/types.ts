/**
 * The configuration as a value: what the text means, with every default filled in. Nothing acts on it
 * until all of it is valid. Spans are microseconds, whatever the text's unit.
 */
import type { Family, Ip } from '../base/ip.ts'
import type { Us } from '../base/time.ts'
import type { VirtualLink } from '../base/virtual-link.ts'
import type { Garp, GarpGroup } from './announcements.ts'
import type { Hmac } from './hmac.ts'
import type { HttpListener, HttpPeer } from './http.ts'
import type { Fifo, Mail, Notify } from './notify.ts'
import type { Place } from './place.ts'
import type { Route, Rule } from './routing.ts'
import type { SnmpConfig } from './snmp.ts'
import type { Statics } from './statics.ts'
import type { UserCommand } from './user-command.ts'
import type { VirtualAddress } from './virtual-address.ts'
import type { Vmac } from './vmac.ts'

export type Severity = 'error' | 'warning' | 'note'

export type Diagnostic = {
  readonly place: Place
  readonly severity: Severity
  /** Stable, kebab-case; tests and scripts match it, people read the message. */
  readonly code: string
  readonly message: string
  /**
   * What it does to the exit status of `vipd check`: cannot run at all (4), an operand is missing (2), runs after
   * ignoring it (5), script security only (6), or nothing. `lost` changes no exit status either, as keepalived's
   * check passes over it, yet something that is written has no effect: a reload refuses it like those before.
   */
  readonly verdict: 'fatal' | 'operand' | 'config' | 'security' | 'lost' | 'none'
}

export type Config = {
  readonly globals: Globals
  readonly scripts: readonly Script[]
  readonly instances: readonly Instance[]
  readonly groups: readonly SyncGroup[]
  readonly bfd: readonly BfdInstance[]
  readonly statics: Statics
}

/** One keyword of `global_defs` each; declared in keywords/global.ts. */
export type GlobalOptions = {
  readonly routerId: string
  readonly noEmailFaults: boolean
  readonly scriptSecurity: boolean
  readonly fifoStatesOnReload: boolean
  readonly startupDelayUs: Us
  /** Counted from the boot of the host. */
  readonly delayAfterBootUs: Us
  readonly dynamicInterfaces: boolean
  readonly logUnknownVrids: boolean
  readonly realtimePriority: number
  readonly rttimeUs: number
  /** −20..19; null leaves it. */
  readonly nice: number | null
  readonly noSwap: boolean
  /** The programs have it too (`Command`). */
  readonly scriptNoNewPrivs: boolean
  /** Time without a sign of life of the main thread after which masters resign. */
  readonly livenessUs: Us
  /** 0 is for ever. The instances carry it too. */
  readonly addressLifetimeSeconds: number
  /** `auto`: where the kernel and nft allow it. */
  readonly kernelLease: 'on' | 'off' | 'auto'
  /** Where the dump files go that a signal asks for; null: nowhere. */
  readonly dumpDirectory: string | null
  /** Where transitions are kept; 'off': nowhere; null: where the run directory says. */
  readonly historyDirectory: string | null
  /** The objects on the system's D-Bus. */
  readonly dbus: boolean
  readonly dbusName: string
  /** In the path of an instance without interface. */
  readonly dbusNoInterface: string
  readonly jsonVersion: '1' | '2'
  /** At most 15 characters. */
  readonly processName: string | null
  readonly vrrpProcessName: string | null
  /** There while a reload reads; empty: where keepalived has it. */
  readonly reloadFile: string | null
  /** Of the chains of no_accept, −2³¹..2³¹−1. */
  readonly nftablesPriority: number
  readonly nftablesCounters: boolean
}

/** One keyword outside every block each; declared in keywords/identity.ts. */
export type IdentityOptions = {
  /** A name below /run/netns; null: the namespace that the daemon is started in. */
  readonly netNamespace: string | null
  readonly instanceName: string | null
  readonly pidDirectory: boolean
}

/** A line of `interface_up_down_delays`. 0: a change counts at once. */
export type InterfaceDelay = {
  readonly interface: string
  readonly downUs: Us
  readonly upUs: Us
  readonly place: Place
}

export type ControlGroup = { readonly name: string; readonly gid: number }

export type Globals = GlobalOptions &
  IdentityOptions & {
    readonly interfaceDelays: readonly InterfaceDelay[]
    readonly http: readonly HttpListener[]
    /** May read over a socket of its own. */
    readonly controlGroup: ControlGroup | null
    /** May report results of push checks. */
    readonly pushGroup: ControlGroup | null
    /** null leaves that of the process. */
    readonly umask: number | null
    /** The daemon runs on these; null: on all. */
    readonly processors: readonly number[] | null
    readonly httpPeers: readonly HttpPeer[]
    readonly snmp: SnmpConfig
    readonly mail: Mail | null
    readonly notifyFifos: readonly Fifo[]
    readonly startupScript: TimedCommand | null
    readonly shutdownScript: TimedCommand | null
  }

export type TimedCommand = { readonly command: UserCommand; readonly timeoutUs: Us }

export type InitialValue = { readonly value: number; readonly overwrite: boolean }

/** One keyword of `vrrp_script` each; declared in keywords/script.ts. */
export type ScriptOptions = {
  readonly intervalUs: Us
  /** null: `intervalUs`. */
  readonly fastIntervalUs: Us | null
  readonly downIntervalUs: Us | null
  readonly initialDelayUs: Us
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number
  readonly timeoutUs: Us
  readonly rise: number
  readonly fall: number
}

/** A check: a `vrrp_script`, or what `vrrp_track_process` and `track_file` define. */
export type Script = ScriptOptions & {
  /** `process/NAME` and `file/NAME` for what is no script. */
  readonly name: string
  readonly run: UserCommand
  readonly weight: number
  readonly reverse: boolean
  /** What a tracked file holds at start where it is missing, or whatever it held. */
  readonly initialValue: InitialValue | null
  readonly place: Place
}

/** One keyword of `bfd_instance` each; declared in keywords/bfd.ts. */
export type BfdOptions = {
  readonly neighbor: Ip | null
  readonly source: Ip | null
  readonly minRxUs: Us
  readonly minTxUs: Us
  readonly idleTxUs: Us
  readonly multiplier: number
  readonly passive: boolean
  /** null: not written. */
  readonly ttl: number | null
  /** -1: any number; null: not written. */
  readonly maxHops: number | null
  readonly multihop: boolean
}

/** A BFD session. */
export type BfdInstance = BfdOptions & {
  /** `bfd/NAME`. */
  readonly name: string
  readonly neighbor: Ip
  readonly weight: number
  readonly reverse: boolean
  readonly place: Place
}

export type Tracked = {
  readonly kind: 'script' | 'process' | 'file' | 'interface' | 'bfd'
  /** Of an interface, or of a check or session: `process/NAME`, `file/NAME` and `bfd/NAME` for those that are no scripts. */
  readonly name: string
  readonly weight: number
  readonly reverse: boolean
  /** Of a BFD session: its loss ends the wait for the adverts of a master with its neighbour's address. */
  readonly takeover?: true
  readonly place: Place
}

export type Peer = { readonly address: Ip; readonly minTtl: number; readonly maxTtl: number }

/** One keyword of `vrrp_instance` each; declared in keywords/unicast.ts. */
export type UnicastOptions = {
  readonly checkSource: boolean
  /** An empty peer list is a fault instead of multicast. */
  readonly faultNoPeer: boolean
}

export type Transport =
  | { readonly kind: 'multicast'; readonly group: Ip; readonly source: Ip | null }
  | ({
      readonly kind: 'unicast'
      readonly source: Ip | null
      readonly peers: readonly Peer[]
      readonly ttl: number | null
    } & UnicastOptions)

/** One keyword of `vrrp_instance` each; declared in keywords/instance-options.ts. */
export type InstanceOptions = {
  readonly vrid: number
  /** 1..255; 255 is the address owner. */
  readonly priority: number
  readonly advertIntervalUs: Us
  readonly downTimerAdverts: number
  readonly preempt: boolean
  readonly preemptDelayUs: Us
  readonly accept: boolean
  readonly strict: boolean
  readonly lowerPrioNoAdvert: boolean
  readonly higherPrioSendAdvert: boolean
  readonly resignOnDemotion: boolean
  /** None of its adverts leaves the host. */
  readonly muteMaster: Reaction
  /** Another program removes one of its addresses again and again. */
  readonly addressConflict: Reaction
  /** Another machine claims one of its addresses while it is master. */
  readonly addressClaim: ClaimReaction
  /** When it asks, before it takes over, whether another machine has its addresses. */
  readonly claimCheck: 'off' | 'start' | 'always'
  /** How long before the take-over, and so how long an answer is waited for. */
  readonly claimCheckUs: Us
  /** What an answer means. */
  readonly claimPolicy: 'warn' | 'wait' | 'refuse'
  /** A master's interval counts as so many times ours at most; 0: as it states. */
  readonly maxIntervalRatio: number
  readonly ownerIgnoreAdverts: boolean
  readonly skipCheckAdvAddr: boolean
  readonly v3ChecksumAsV2: boolean
  readonly trackPrimary: boolean
  /** The sysctl of that name, on the instance's interface. */
  readonly promoteSecondaries: boolean
  readonly receiveBufferBytes: number | null
}

export type Instance = InstanceOptions & {
  readonly name: string
  readonly interface: string | null
  readonly family: Family
  readonly version: 2 | 3
  /** `state MASTER` as written: no timing effect, cancels nopreempt and preempt_delay. */
  readonly stateMaster: boolean
  /** 8 octets for PASS; v2 only. */
  readonly password: Uint8Array | null
  /** 8 octets for AH; v2 over IPv4 only. */
  readonly ahKey: Uint8Array | null
  /** null: adverts have no trailer. */
  readonly hmac: Hmac | null
  readonly addresses: readonly VirtualAddress[]
  readonly excluded: readonly VirtualAddress[]
  readonly routes: readonly Route[]
  readonly rules: readonly Rule[]
  /** Of the static entries whose track_group has this instance: their loss is a fault. */
  readonly staticInterfaces: readonly string[]
  readonly transport: Transport
  readonly vmac: Vmac | null
  /** Of `virtualLinks`: the one that the instance speaks on instead of its interface. */
  readonly ipvlan: string | null
  /** Without an interface: where the source is, and the peers are reached. */
  readonly vrf: string | null
  /** All that it needs. */
  readonly virtualLinks: readonly VirtualLink[]
  readonly trackInterfaces: readonly Tracked[]
  readonly trackChecks: readonly Tracked[]
  readonly garp: Garp
  /** Those of its interfaces. */
  readonly garpGroups: readonly GarpGroup[]
  /** Wished for (`vipd_address_lifetime`); 0 is for ever. */
  readonly addressLifetimeSeconds: number
  readonly notify: Notify
  readonly place: Place
}

/** What becomes of a master that does not serve its clients as long as it leads: it stays, and says so, or resigns. */
export type Reaction = 'report' | 'resign'

/** To another machine's claim. off: nothing is watched. The others report it; announce: once, defend: again and again. */
export type ClaimReaction = 'off' | 'report' | 'announce' | 'defend'

/** One keyword of `vrrp_sync_group` each; declared in keywords/group.ts. */
export type GroupOptions = {
  readonly trackingWeight: boolean
}

export type SyncGroup = GroupOptions & {
  readonly name: string
  readonly members: readonly string[]
  readonly trackInterfaces: readonly Tracked[]
  readonly trackChecks: readonly Tracked[]
  readonly notify: Notify
  readonly place: Place
}
