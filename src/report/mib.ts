/**
 * What SNMP tells besides the status: the configuration in effect as far as the MIBs have it, and what the kernel calls
 * its links. Plain values without secrets; spans are in seconds unless a name says otherwise.
 */

/** What a configuration says. Another one makes another object. */
export type MibSettings = {
  readonly routerId: string
  /** '': the one that the daemon was started in. */
  readonly netNamespace: string
  readonly dynamicInterfaces: boolean
  readonly mail: MibMail | null
  readonly mailOfFaults: boolean
  readonly scripts: readonly MibScript[]
  readonly files: readonly MibFile[]
  readonly processes: readonly MibProcess[]
  readonly bfd: readonly MibTracked[]
  readonly groups: readonly MibGroup[]
}

export type MibMail = {
  readonly server: string
  readonly port: number
  readonly timeout: number
  readonly from: string
  readonly to: readonly string[]
}

/** `weight` and `reverse` of a check are those that a tracker without its own gets. */
export type MibTracked = {
  readonly name: string
  readonly weight: number
  readonly reverse: boolean
}

export type MibTrackedLists = {
  readonly interfaces: readonly MibTracked[]
  readonly scripts: readonly MibTracked[]
  readonly files: readonly MibTracked[]
  readonly processes: readonly MibTracked[]
  readonly bfd: readonly MibTracked[]
}

/** Names are as the operator wrote them; `check` is the name of it in a status. */
export type MibScript = MibTracked & {
  readonly check: string
  /** null: it is no program of its own, but a probe; the status says which. */
  readonly command: string | null
  readonly path: string | null
  readonly intervalUs: number
  readonly timeoutUs: number
  readonly rise: number
  readonly fall: number
}

export type MibFile = MibTracked & { readonly check: string; readonly path: string }

export type MibProcess = MibTracked & {
  readonly check: string
  readonly process: string
  /** '': any. */
  readonly parameters: string
  readonly match: 'any' | 'exact' | 'initial' | 'partial'
  readonly least: number
  readonly most: number
  readonly gainDelayUs: number
  readonly lossDelayUs: number
  readonly full: boolean
}

/** Commands, each as `'word' 'word'`; null: none. */
export type MibScripts = {
  readonly master: string | null
  readonly backup: string | null
  readonly fault: string | null
  readonly stop: string | null
  readonly any: string | null
  readonly lowerPriority: string | null
  readonly deleted: string | null
}

export type MibGroup = {
  readonly name: string
  readonly mail: boolean
  readonly notify: MibScripts
  readonly trackingWeight: boolean
  readonly tracked: MibTrackedLists
}

export type MibAddress = {
  readonly broadcast: string | null
  /** RT_SCOPE_*. */
  readonly scope: number
  readonly label: string | null
  readonly peer: string | null
}

export type MibInstance = {
  readonly name: string
  readonly vrid: number
  readonly version: 2 | 3
  readonly family: 4 | 6
  readonly interface: string | null
  /** `state MASTER` is written. */
  readonly initialMaster: boolean
  readonly trackPrimary: boolean
  readonly preempt: boolean
  readonly preemptDelay: number
  readonly authentication: 'none' | 'password' | 'ah'
  readonly group: string | null
  readonly mail: boolean
  readonly notify: MibScripts
  readonly accept: boolean
  readonly promoteSecondaries: boolean
  readonly saysDeleted: boolean
  /** null: unicast. */
  readonly multicastGroup: string | null
  readonly v3ChecksumAsV2: boolean
  /** It speaks from the virtual MAC address. */
  readonly virtualMac: boolean
  readonly tracked: MibTrackedLists
  /** In the order of the status: `virtual_ipaddress`, then the excluded ones. */
  readonly addresses: readonly MibAddress[]
}

export type MibLink = {
  readonly name: string
  readonly ifindex: number
  /** '02:00:00:00:00:01' */
  readonly mac: string | null
}

/** What changes without a reload. */
export type MibHost = {
  readonly links: readonly MibLink[]
  /** The address that an instance sends from, by its name; without one it has none. */
  readonly sources: Readonly<Record<string, string>>
}

/** Of one instance, at this moment; null: it has none. */
export type MibPlace = { readonly ifindex: number | null; readonly source: string | null }

/** What the daemon is asked for. */
export type MibFacts = {
  /** The same object as long as the configuration is the same. */
  readonly settings: MibSettings
  /** Made one by one: thousands are not made at a stroke. */
  instances(): Iterable<MibInstance>
  readonly host: MibHost
}
