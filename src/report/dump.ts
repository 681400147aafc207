/**
 * What keepalived's dump files tell, as plain values: the configuration in effect beside what the daemon is doing. Spans
 * are in seconds where the files have seconds, instants in milliseconds since 1970.
 */

export type DumpAddress = {
  readonly address: string
  /** null: that of one host, which the files leave out. */
  readonly prefixLength: number | null
  readonly broadcast: string | null
  readonly interface: string
  readonly scope: string
  readonly label: string | null
  /** Seconds; `forever`; null: not said, as of IPv4. */
  readonly preferred: number | 'forever' | null
  readonly set: boolean
}

/** The words of a command and who runs it. */
export type DumpScript = {
  readonly argv: readonly string[]
  readonly uid: number
  readonly gid: number
}

export type DumpTracked = {
  readonly name: string
  readonly weight: number
  readonly reverse: boolean
}

export type DumpNotify = {
  readonly backup: DumpScript | null
  readonly master: DumpScript | null
  readonly fault: DumpScript | null
  readonly stop: DumpScript | null
  readonly deleted: DumpScript | null
  readonly any: DumpScript | null
  readonly masterRxLowerPri: DumpScript | null
  readonly mail: boolean
  readonly saysDeleted: boolean
  readonly priorityChanges: boolean
}

export type DumpState = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT'

export type DumpInstance = {
  readonly name: string
  readonly version: 2 | 3
  readonly family: 4 | 6
  readonly group: string | null
  readonly state: DumpState
  /** Of the router that is followed; null unless BACKUP behind a master. */
  readonly master: {
    readonly address: string
    readonly priority: number
    readonly advertSeconds: number
  } | null
  readonly faults: number
  /** Checks without a first result. */
  readonly pending: number
  readonly lastTransitionMs: number
  /** The next advert of a master, the take-over of a backup; null: none is due. */
  readonly dueMs: number | null
  readonly masterDownUs: number
  readonly interface: string
  /** The virtual link of use_vmac; null: none. */
  readonly vmac: string | null
  readonly source: string
  readonly sourceConfigured: boolean
  readonly garp: {
    readonly delay: number
    readonly repeat: number
    readonly refresh: number
    readonly refreshRepeat: number
    readonly lowerPrioDelay: number
    readonly lowerPrioRepeat: number
  }
  readonly downTimerAdverts: number
  readonly lowerPrioNoAdvert: boolean
  readonly higherPrioSendAdvert: boolean
  readonly vrid: number
  readonly priority: number
  readonly effectivePriority: number
  readonly advertSeconds: number
  readonly accept: boolean
  readonly preempt: boolean
  readonly preemptDelay: number
  readonly strict: boolean
  readonly skipCheckAdvAddr: boolean
  readonly trackPrimary: boolean
  readonly promoteSecondaries: boolean
  /** A password is configured; it is not told. */
  readonly password: boolean
  /** `auth_type AH`; its key is not told. */
  readonly ah: boolean
  readonly addresses: readonly DumpAddress[]
  readonly excluded: readonly DumpAddress[]
  readonly transport:
    | { readonly kind: 'multicast'; readonly group: string; readonly ifindex: number }
    | {
        readonly kind: 'unicast'
        readonly ttl: number | null
        readonly checkSource: boolean
        readonly peers: readonly {
          readonly address: string
          readonly minTtl: number
          readonly maxTtl: number
        }[]
      }
  readonly interfaces: readonly DumpTracked[]
  readonly scripts: readonly (DumpTracked & { readonly command: string })[]
  readonly files: readonly DumpTracked[]
  readonly processes: readonly DumpTracked[]
  readonly notify: DumpNotify
  readonly counts: DumpCounts
}

/** Since the instance was configured; `STATS_CLEAR` starts again at 0. */
export type DumpCounts = {
  readonly received: number
  readonly sent: number
  readonly becameMaster: number
  readonly releasedMaster: number
  readonly lengthErrors: number
  readonly ttlErrors: number
  readonly typeErrors: number
  readonly intervalErrors: number
  readonly addressListErrors: number
  readonly authTypeErrors: number
  readonly authMismatches: number
  readonly authFailures: number
  readonly zeroReceived: number
  readonly zeroSent: number
}

export type DumpGroup = {
  readonly name: string
  readonly state: DumpState
  readonly inFault: number
  readonly inInit: number
  readonly members: readonly string[]
  readonly trackingWeight: boolean
  readonly notify: DumpNotify
}

export type DumpCheck = {
  readonly name: string
  readonly weight: number
  readonly reverse: boolean
  /** null: no first result yet. */
  readonly good: boolean | null
  readonly trackedBy: readonly DumpTracked[]
}

export type DumpScriptCheck = DumpCheck & {
  readonly command: readonly string[]
  readonly intervalSeconds: number
  /** 0: none is configured. */
  readonly timeoutSeconds: number
  readonly rise: number
  readonly fall: number
  /** 0 … rise + fall − 1, as keepalived counts. */
  readonly result: number
  readonly uid: number
  readonly gid: number
}

export type DumpFile = DumpCheck & { readonly path: string; readonly value: number }

export type DumpProcess = DumpCheck & {
  readonly process: string
  readonly parameters: readonly string[] | null
  readonly match: 'exact' | 'initial' | 'partial'
  readonly least: number
  readonly most: number
  readonly current: number
  readonly gainSeconds: number
  readonly lossSeconds: number
  readonly full: boolean
}

export type DumpInterface = {
  readonly name: string
  readonly ifindex: number
  readonly ip4: readonly string[]
  readonly ip6: readonly string[]
  readonly mac: string | null
  readonly up: boolean
  readonly mtu: number
  readonly trackedBy: readonly DumpTracked[]
}

export type Dump = {
  readonly atMs: number
  readonly routerId: string
  readonly dynamicInterfaces: boolean
  readonly fifoStatesOnReload: boolean
  readonly scriptSecurity: boolean
  readonly instances: readonly DumpInstance[]
  readonly groups: readonly DumpGroup[]
  readonly scripts: readonly DumpScriptCheck[]
  readonly files: readonly DumpFile[]
  readonly processes: readonly DumpProcess[]
  readonly interfaces: readonly DumpInterface[]
  /** `json_version`. */
  readonly jsonVersion: 1 | 2
}
