/**
 * The configuration while it is being read: what has been written so far, null where nothing was. Drafts
 * are mutable and never leave this folder; lower-*.ts turns a finished draft into the configuration.
 */

import type { Command, RunAs } from '../../base/command.ts'
import type { Ip } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import { secondsToUs, us } from '../../base/time.ts'
import type {
  Fifo,
  InitialValue,
  Peer,
  Place,
  Reaction,
  Tracked,
  UserCommand,
  VirtualAddress,
} from '../types.ts'

/**
 * vrrp_rlimit_rttime unless it is written: far above what a take-over of ten thousand addresses computes in one go
 * (tens of µs for each), and short for a machine whose only core has nothing for other work meanwhile.
 */
export const defaultRttimeUs = 2_000_000

/** garp_* as written; null: not written here. */
export type GarpDraft = {
  masterDelayUs: Us | null
  masterRepeat: number | null
  masterRefreshUs: Us | null
  masterRefreshRepeat: number | null
  lowerPrioDelayUs: Us | null
  lowerPrioRepeat: number | null
}

export type NotifyDraft = {
  master: UserCommand | null
  backup: UserCommand | null
  fault: UserCommand | null
  stop: UserCommand | null
  deleted: UserCommand | null
  /** notify_deleted was written, with a command or without. */
  saysDeleted: boolean
  masterRxLowerPri: UserCommand | null
  any: UserCommand | null
  mail: boolean | null
  priorityChanges: boolean | null
}

export type GlobalDraft = {
  routerId: string
  mailTo: string[]
  mailFrom: string
  mailServer: string | null
  mailPort: number
  mailHelo: string
  mailTimeoutUs: Us
  noEmailFaults: boolean
  mail: boolean
  mailVrrp: boolean | null
  scriptSecurity: boolean
  scriptUser: RunAs | null
  symlinkPaths: boolean
  supplementaryGroups: boolean
  fifos: Map<'notify_fifo' | 'vrrp_notify_fifo', { fifo: Fifo | null; script: UserCommand | null }>
  fifoStatesOnReload: boolean
  startupScript: UserCommand | null
  startupTimeoutUs: Us
  shutdownScript: UserCommand | null
  shutdownTimeoutUs: Us
  startupDelayUs: Us
  logUnknownVrids: boolean
  realtimePriority: number
  rttimeUs: number
  nice: number | null
  noSwap: boolean
  scriptNoNewPrivs: boolean
  livenessUs: Us
  addressLifetimeSeconds: number
  version: 2 | 3
  group4: Ip
  group6: Ip
  garp: GarpDraft
  arpIntervalUs: Us
  naIntervalUs: Us
  lowerPrioNoAdvert: boolean
  higherPrioSendAdvert: boolean | null
  resignOnDemotion: boolean
  muteMaster: Reaction
  addressConflict: Reaction
  maxIntervalRatio: number
  downTimerAdverts: number
  checkUnicastSource: boolean
  skipCheckAdvAddr: boolean
  strict: boolean
  strictPlace: Place | null
  ownerIgnoreAdverts: boolean
  v3ChecksumAsV2: boolean
  priorityChanges: boolean
}

export type ScriptDraft = {
  name: string
  place: Place
  raw: string | null
  command: string
  commandPlace: Place
  /** In place of a command; 'bad': it was written and makes no sense. */
  asks: Command | 'bad' | null
  user: RunAs | null
  /** `user` was written and does not exist. */
  badUser: string | null
  intervalUs: Us
  timeoutUs: Us | null
  fastIntervalUs: Us | null
  downIntervalUs: Us | null
  jitter: number
  initialDelayUs: Us
  weight: number
  reverse: boolean
  rise: number
  fall: number
  initialValue: InitialValue | null
}

/** A weight is null where the object's own weight counts. */
export type TrackedDraft = {
  readonly kind: Tracked['kind']
  readonly name: string
  readonly weight: number | null
  readonly reverse: boolean | null
  readonly place: Place
}

export type InstanceDraft = {
  name: string
  place: Place
  interface: string | null
  vrid: number | null
  /** `virtual_router_id` was written, good or not. */
  vridPlace: Place | null
  priority: number | null
  state: 'MASTER' | 'BACKUP' | null
  advertSeconds: number
  advertPlace: Place
  version: 2 | 3 | null
  versionPlace: Place
  family: 4 | 6 | null
  nativeIpv6: boolean
  authType: 'PASS' | 'AH' | null
  password: string | null
  authPlace: Place | null
  addresses: VirtualAddress[]
  excluded: VirtualAddress[]
  noAddresses: boolean
  source: Ip | null
  sourcePlace: Place
  group: Ip | null
  /** A unicast keyword was written. */
  unicastPlace: Place | null
  peers: Peer[]
  ttl: number | null
  ttlPlace: Place
  checkSource: boolean | null
  faultNoPeer: boolean
  preempt: boolean
  preemptDelayUs: Us
  preemptPlace: Place
  accept: boolean | null
  acceptPlace: Place
  strict: boolean | null
  trackInterfaces: TrackedDraft[]
  trackChecks: TrackedDraft[]
  trackPrimary: boolean
  garp: GarpDraft
  garpPlace: Place
  lowerPrioNoAdvert: boolean | null
  higherPrioSendAdvert: boolean | null
  resignOnDemotion: boolean | null
  addressConflict: Reaction | null
  ownerIgnoreAdverts: boolean | null
  skipCheckAdvAddr: boolean | null
  v3ChecksumAsV2: boolean | null
  downTimerAdverts: number | null
  downPlace: Place
  receiveBufferBytes: number | null
  notify: NotifyDraft
  /** An interface of its own was asked for. */
  vmac: boolean
  /** Where a keyword stands that means nothing without one. */
  vmacOnlyPlace: Place | null
  /** Why the instance may not run although the rest of the file does. */
  refused: { readonly place: Place; readonly why: string } | null
}

export type GroupDraft = {
  name: string
  place: Place
  members: { readonly name: string; readonly place: Place }[] | null
  /** Why no member may run. */
  refused: { readonly place: Place; readonly why: string } | null
  trackInterfaces: TrackedDraft[]
  trackChecks: TrackedDraft[]
  trackingWeight: boolean
  notify: NotifyDraft
}

export type Draft = {
  readonly instances: InstanceDraft[]
  readonly groups: GroupDraft[]
}

export const noGarp = (): GarpDraft => ({
  masterDelayUs: null,
  masterRepeat: null,
  masterRefreshUs: null,
  masterRefreshRepeat: null,
  lowerPrioDelayUs: null,
  lowerPrioRepeat: null,
})

export const noNotify = (): NotifyDraft => ({
  master: null,
  backup: null,
  fault: null,
  stop: null,
  deleted: null,
  saysDeleted: false,
  masterRxLowerPri: null,
  any: null,
  mail: null,
  priorityChanges: null,
})

export function globalDraft(hostname: string, user: string): GlobalDraft {
  return {
    routerId: hostname,
    mailTo: [],
    mailFrom: `${user}@${hostname}`,
    mailServer: null,
    mailPort: 25,
    mailHelo: hostname,
    mailTimeoutUs: secondsToUs(30),
    noEmailFaults: false,
    mail: false,
    mailVrrp: null,
    scriptSecurity: false,
    scriptUser: null,
    symlinkPaths: false,
    supplementaryGroups: false,
    fifos: new Map(),
    fifoStatesOnReload: false,
    startupScript: null,
    startupTimeoutUs: secondsToUs(10),
    shutdownScript: null,
    shutdownTimeoutUs: secondsToUs(10),
    startupDelayUs: us(0),
    logUnknownVrids: false,
    realtimePriority: 0,
    rttimeUs: defaultRttimeUs,
    nice: null,
    noSwap: false,
    scriptNoNewPrivs: false,
    livenessUs: secondsToUs(3),
    addressLifetimeSeconds: 8,
    version: 2,
    group4: '224.0.0.18' as Ip,
    group6: 'ff02::12' as Ip,
    garp: noGarp(),
    arpIntervalUs: us(0),
    naIntervalUs: us(0),
    lowerPrioNoAdvert: false,
    higherPrioSendAdvert: null,
    resignOnDemotion: true,
    muteMaster: 'report',
    addressConflict: 'report',
    maxIntervalRatio: 10,
    downTimerAdverts: 3,
    checkUnicastSource: false,
    skipCheckAdvAddr: false,
    strict: false,
    strictPlace: null,
    ownerIgnoreAdverts: false,
    v3ChecksumAsV2: false,
    priorityChanges: false,
  }
}

export const scriptDraft = (name: string, place: Place): ScriptDraft => ({
  name,
  place,
  raw: null,
  command: '',
  commandPlace: place,
  asks: null,
  user: null,
  badUser: null,
  intervalUs: secondsToUs(1),
  timeoutUs: null,
  fastIntervalUs: null,
  downIntervalUs: null,
  jitter: 0,
  initialDelayUs: us(0),
  weight: 0,
  reverse: false,
  rise: 1,
  fall: 1,
  initialValue: null,
})

export const instanceDraft = (name: string, place: Place): InstanceDraft => ({
  name,
  place,
  interface: null,
  vrid: null,
  vridPlace: null,
  priority: null,
  state: null,
  advertSeconds: 1,
  advertPlace: place,
  version: null,
  versionPlace: place,
  family: null,
  nativeIpv6: false,
  authType: null,
  password: null,
  authPlace: null,
  addresses: [],
  excluded: [],
  noAddresses: false,
  source: null,
  sourcePlace: place,
  group: null,
  unicastPlace: null,
  peers: [],
  ttl: null,
  ttlPlace: place,
  checkSource: null,
  faultNoPeer: false,
  preempt: true,
  preemptDelayUs: us(0),
  preemptPlace: place,
  accept: null,
  acceptPlace: place,
  strict: null,
  trackInterfaces: [],
  trackChecks: [],
  trackPrimary: true,
  garp: noGarp(),
  garpPlace: place,
  lowerPrioNoAdvert: null,
  higherPrioSendAdvert: null,
  resignOnDemotion: null,
  addressConflict: null,
  ownerIgnoreAdverts: null,
  skipCheckAdvAddr: null,
  v3ChecksumAsV2: null,
  downTimerAdverts: null,
  downPlace: place,
  receiveBufferBytes: null,
  notify: noNotify(),
  vmac: false,
  vmacOnlyPlace: null,
  refused: null,
})

export const groupDraft = (name: string, place: Place): GroupDraft => ({
  name,
  place,
  members: null,
  refused: null,
  trackInterfaces: [],
  trackChecks: [],
  trackingWeight: false,
  notify: noNotify(),
})
