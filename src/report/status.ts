/** What `vipd status` answers. Version 1 of the schema; facts from the kernel and the wire, not intentions. */
import type { CheckStatus } from '../checks/verdict/types.ts'
import type { StandBy } from '../election/priority.ts'
import type { Cause } from '../election/types.ts'
import type { ClaimHow, PastClaim } from './past-claim.ts'

export type StatusCheck = CheckStatus & { readonly how: string; readonly usedBy: readonly string[] }

export type StatusAddress = {
  readonly address: string
  readonly prefixLength: number
  readonly interface: string
  readonly excluded: boolean
  /** Read back from the kernel. */
  readonly present: boolean
  /** Present, but another program put it there. */
  readonly foreign: boolean
}

export type StatusInstance = {
  readonly name: string
  readonly vrid: number
  readonly interface: string | null
  readonly family: 4 | 6
  readonly version: 2 | 3
  readonly state: 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT' | 'STOP'
  readonly basePriority: number
  readonly effectivePriority: number
  /** '150 = 100 base + 50 chk_web' */
  readonly priorityArithmetic: string
  /** Asked for by the operator: it takes over only when no peer does. */
  readonly standsBy: StandBy | null
  readonly master: {
    readonly address: string
    readonly priority: number
    readonly self: boolean
  } | null
  readonly advertIntervalMs: number
  /** Adverts whose absence is a failure. */
  readonly downTimerAdverts: number
  /** Time after the last advert at which we take over; null unless BACKUP. */
  readonly downIntervalMs: number | null
  readonly lastAdvertAgoMs: number | null
  readonly lastSentAgoMs: number | null
  readonly sinceMs: number
  readonly transitions: number
  /** The same by what they were, each combination that there has been. */
  readonly transitionCounts: readonly TransitionCount[]
  readonly why: string
  readonly addresses: readonly StatusAddress[]
  readonly adverts: {
    readonly received: number
    readonly sent: number
    /** As a backup, since its sockets were opened: adverts heard, and those that the pauses between them are short of. */
    readonly heard: number
    readonly missed: number
    /** The same lately: the last five minutes or more, as far as it takes to judge by (300 adverts), at most an hour. */
    readonly recent: { readonly heard: number; readonly missed: number }
    /** Longest silence of the last hour, one that ended in a take-over included. */
    readonly longestGapMs: number
    /** Pauses between two of them, as a backup: how many of at most so long; `null`: of any length. */
    readonly gaps: readonly { readonly untilMs: number | null; readonly count: number }[]
  }
  /** `auth_hmac` or `auth_type AH`; null: adverts are not signed. */
  readonly authentication: {
    /** `ah`: each advert is behind an authentication header; it has no window, no key ids, and no senders. */
    readonly mode: 'enforce' | 'permissive' | 'receive-only' | 'ah'
    readonly antiReplay: 'time' | 'monotonic'
    readonly windowSeconds: number
    /** Ids. */
    readonly keys: readonly number[]
    readonly activeKey: number | null
    /** The last that was sent; of `ah`, sent or heard. Of `auth_hmac` the seconds of its time stand in its upper 32 bits. */
    readonly sequence: string
    readonly verified: number
    /** Heard without a trailer, and accepted so. */
    readonly unsigned: number
    readonly senders: readonly {
      readonly address: string
      /** How far its clock is ahead of ours. */
      readonly skewSeconds: number
      readonly agoMs: number
    }[]
  } | null
  /** `vipd_kernel_lease`; null: it is off. */
  readonly kernelLease: StatusLease | null
  /** Adverts by what their checksum covers; null but for version 3 over IPv4, where there are two forms. */
  readonly checksums: { readonly 'pseudo-header': number; readonly message: number } | null
  /** `garp_master_delay`: announced again so long after becoming master. */
  readonly garpDelaySeconds: number
  readonly priorityZero: { readonly received: number; readonly sent: number }
  /** Rejected packets by reason. */
  readonly rejects: Readonly<Record<string, number>>
  /** Routers of this VRID that are heard and not believed at present; at most four are named. */
  readonly ignored: readonly {
    readonly from: string
    /** A key of `rejects`. */
    readonly why: string
    readonly explanation: string
  }[]
  readonly claims: StatusClaims
  readonly history: readonly StatusTransition[]
  /** Those of the status that are about this instance. */
  readonly warnings: readonly string[]
}

/** Other machines that claim an address while this instance is master. */
export type StatusClaims = {
  /** Frames, since the start. */
  readonly frames: number
  /** Events that were told of. */
  readonly reported: number
  /** Announcements on account of them. */
  readonly announced: number
  /** In the last minute. */
  readonly claimants: readonly {
    readonly address: string
    readonly interface: string
    readonly mac: string
    readonly how: ClaimHow
    /** With a MAC address of this host. */
    readonly sameMac: boolean
    readonly count: number
    readonly firstAgoMs: number
    readonly lastAgoMs: number
  }[]
  /** The last ones that were reported, oldest first. */
  readonly history: readonly PastClaim[]
}

export type StatusLease = {
  /**
   * `waiting`: it is in force, and this host leads not; `answers`: it leads, and its adverts leave; `muted`: it leads, no
   * advert has left for as long as the lease is, so that the kernel does not answer; `missing`: it is not in force.
   */
  readonly state: 'waiting' | 'answers' | 'muted' | 'missing'
  /** For so long after an advert the kernel answers; null: `missing`. */
  readonly leaseMs: number | null
  /** Why it is missing; null: it is not, or is about to be made. */
  readonly why: string | null
  /** What takes over before it ends, as far as is known, a sentence each. */
  readonly soonerTakeOvers: readonly string[]
}

export type TransitionCount = {
  readonly from: string
  readonly to: string
  readonly cause: StatusTransition['cause']
  readonly count: number
}

export type StatusTransition = {
  readonly at: string
  readonly from: string
  readonly to: string
  readonly why: string
  /** The kind of the reason, for programs: one of a fixed list (election/types.ts). */
  readonly cause: Cause['kind']
}

/** Told at once, when it happens. */
export type Transition = StatusTransition & { readonly instance: string }

/** What `state` of its instance is after it. */
export const stateAfter = ({ to }: Pick<StatusTransition, 'to'>): StatusInstance['state'] =>
  to === 'STOPPED' ? 'STOP' : (to as StatusInstance['state'])

export type StatusGroup = {
  readonly name: string
  readonly state: string
  readonly members: readonly string[]
}

export type StatusUnknownVrid = {
  readonly interface: string
  readonly vrid: number
  /** Who sent the first one. */
  readonly from: string
}

export type StatusBfd = {
  readonly name: string
  readonly neighbor: string
  readonly source: string | null
  readonly state: 'Down' | 'Init' | 'Up'
  /** What the other end said last; null: it is not heard. */
  readonly remoteState: 'AdminDown' | 'Down' | 'Init' | 'Up' | null
  readonly localDiagnostic: string
  readonly remoteDiagnostic: string | null
  /** Why it has no sockets; null: it has. */
  readonly failure: string | null
  readonly sinceMs: number
  readonly transitions: number
  /** At which packets go out at most; they come up to a quarter earlier. */
  readonly transmitMs: number
  /** null: nothing is awaited. */
  readonly detectionMs: number | null
  /** The longest pause between two packets while that was the detection time. */
  readonly longestGapMs: number
  readonly received: number
  readonly sent: number
  readonly badTtl: number
  /** Of the last packet: the errno's name; null: it left. */
  readonly sendError: string | null
  readonly rejects: Readonly<Record<string, number>>
  readonly usedBy: readonly string[]
}

/** An entry of static_ipaddress, static_routes or static_rules. */
export type StatusStatic = {
  readonly kind: 'address' | 'route' | 'rule'
  /** As the operator wrote it. */
  readonly text: string
  /**
   * waiting: its interface is absent; foreign: another program has set the address; absent: an address that the kernel does
   * not hold. A route or a rule is `set` when the kernel has taken it: it is not read back.
   */
  readonly state: 'set' | 'waiting' | 'refused' | 'foreign' | 'absent'
  /** null while it is set. */
  readonly why: string | null
}

/** How many are at most so long; `null`: of any length. Each bucket holds those before it. */
export type StatusBucket = { readonly untilMs: number | null; readonly count: number }

/** Programs that were run, or mails that were sent. */
export type StatusRuns = {
  readonly started: number
  readonly succeeded: number
  readonly failed: number
  /** What came of it is not known. */
  readonly lost: number
  /** Never started: too many waited. */
  readonly dropped: number
  /** Of those that have ended. */
  readonly took: readonly StatusBucket[]
  readonly tookSumMs: number
}

/** Upgrades in place, since the daemon was started: in this process and in those before it. */
export type StatusUpgrades = {
  readonly done: number
  readonly refused: number
  /** Under way. `pid`: of the process that is to go on; null: it is not yet started. */
  readonly running: {
    readonly sinceMs: number
    readonly pid: number | null
    /** States that have been passed to it. */
    readonly attempts: number
  } | null
  /** By which this process came. `tookMs`: from the order to the instant. null: it was started. */
  readonly last: {
    readonly at: string
    readonly from: { readonly pid: number; readonly version: string }
    readonly tookMs: number
    readonly attempts: number
  } | null
  readonly lastRefusal: { readonly at: string; readonly why: string } | null
  /** Why one that was ordered now would be refused, as far as that does not change by itself; null: nothing is known. */
  readonly prevented: string | null
}

export type Status = {
  readonly schema: 1
  readonly version: string
  readonly pid: number
  readonly host: string
  /** Since the daemon was started; an upgrade in place is no start. */
  readonly uptimeMs: number
  readonly config: {
    readonly path: string
    readonly loadedAt: string
    readonly lastReload: 'ok' | 'rejected' | 'none'
    readonly lastReloadAt: string | null
    /** Why it was rejected: `file:line:column: message [code]`. */
    readonly lastReloadReasons: readonly string[]
    /** Compared by device, inode, size and time of change; `unknown`: the file system does not answer. */
    readonly unchangedOnDisk: boolean | 'unknown'
  }
  readonly engine: {
    readonly realtime: boolean
    readonly locked: boolean
    readonly eventsRaised: number
    readonly throttled: number
    readonly coalesced: number
    /** Packets of no instance, as far as they were read: under a flood the kernel drops them uncounted. */
    readonly unclaimed: number
    /** How late its thread woke up for what was due, an advert or the end of a silence: how many of at most so late. */
    readonly wakeups: { readonly late: readonly StatusBucket[]; readonly lateSumMs: number }
  }
  /** The second process, which gives up what leads when this one is killed or frozen. `lost`: since the start. */
  readonly warden: { readonly running: boolean; readonly lost: number }
  readonly upgrades: StatusUpgrades
  /** Since the start. `waiting`: now, for the one before them. */
  readonly notify: {
    readonly scripts: StatusRuns
    readonly mails: StatusRuns
    readonly waiting: number
  }
  /** `vipd drain` holds. */
  readonly drained: boolean
  /** VRIDs that were heard and belong to no instance here. */
  readonly unknownVrids: readonly StatusUnknownVrid[]
  readonly instances: readonly StatusInstance[]
  readonly groups: readonly StatusGroup[]
  readonly checks: readonly StatusCheck[]
  readonly bfd: readonly StatusBfd[]
  readonly statics: readonly StatusStatic[]
  readonly warnings: readonly string[]
}

/** All but what there can be thousands of. */
export type StatusRest = Omit<Status, 'instances'>
