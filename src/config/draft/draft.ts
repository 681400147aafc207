/**
 * The configuration while it is being read: what has been written so far, null where nothing was. Drafts
 * are mutable and never leave this folder; build/ turns a finished draft into the configuration.
 */

import type { Command, RunAs } from '../../base/command.ts'
import type { Ip } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import type { IpvlanMode } from '../../base/virtual-link.ts'
import type { Garp } from '../announcements.ts'
import type { HmacMode } from '../hmac.ts'
import type { HttpListener, HttpPeer } from '../http.ts'
import type { Fifo, MailOptions, NotifyOptions } from '../notify.ts'
import type { Place } from '../place.ts'
import type { Route, Rule } from '../routing.ts'
import { noSnmp, type SnmpConfig } from '../snmp.ts'
import type { StaticAddress } from '../statics.ts'
import type {
  ControlGroup,
  GlobalOptions,
  GroupOptions,
  IdentityOptions,
  InitialValue,
  InstanceOptions,
  InterfaceDelay,
  Peer,
  ScriptOptions,
  Tracked,
  UnicastOptions,
} from '../types.ts'
import type { UserCommand } from '../user-command.ts'
import type { VirtualAddress } from '../virtual-address.ts'
import { Written } from './written.ts'

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
}

/** Plain keywords of `global_defs` that only the making of a configuration needs. */
export type GlobalInputs = {
  readonly version: 2 | 3
  readonly group4: Ip
  readonly group6: Ip
  readonly startupTimeoutUs: Us
  readonly shutdownTimeoutUs: Us
  /** `smtp_alert`: the default of `smtp_alert_vrrp`. */
  readonly mail: boolean
  /** Of static addresses that name none. */
  readonly defaultInterface: string
  readonly supplementaryGroups: boolean
  /** A number: bytes. */
  readonly rxBuffers: 'MTU' | 'ADVERT' | number | null
  readonly rxMultiplier: number
  readonly vmacPrefix: string
  /** Empty: vmacPrefix. */
  readonly vmacAddressPrefix: string
}

/** The options of an instance, or in `global_defs` what instances inherit. */
export type InheritedDraft = {
  readonly options: Written<InstanceOptions>
  readonly garp: Written<Garp>
  readonly unicast: Written<UnicastOptions>
  readonly notifyOptions: Written<NotifyOptions>
}

export type GlobalDraft = {
  /** What stands outside every block. */
  readonly identity: Written<IdentityOptions>
  readonly options: Written<GlobalOptions>
  readonly inputs: Written<GlobalInputs>
  readonly mail: Written<MailOptions>
  readonly instances: InheritedDraft
  readonly interfaceDelays: Map<string, InterfaceDelay>
  readonly http: HttpListener[]
  umask: number | null
  controlGroup: ControlGroup | null
  pushGroup: ControlGroup | null
  processors: readonly number[] | null
  readonly httpPeers: HttpPeer[]
  snmp: SnmpConfig
  mailTo: string[]
  mailServer: { readonly host: string; readonly port: number } | null
  scriptUser: RunAs | null
  fifos: Map<'notify_fifo' | 'vrrp_notify_fifo', { fifo: Fifo | null; script: UserCommand | null }>
  startupScript: UserCommand | null
  shutdownScript: UserCommand | null
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
  readonly options: Written<ScriptOptions>
  weight: number
  reverse: boolean
  initialValue: InitialValue | null
}

/** A weight is null where the object's own weight counts. */
export type TrackedDraft = {
  readonly kind: Tracked['kind']
  readonly name: string
  readonly weight: number | null
  readonly reverse: boolean | null
  readonly takeover?: true
  readonly place: Place
}

export type HmacKeyDraft = { readonly id: number; readonly value: string; readonly place: Place }

export type HmacDraft = {
  readonly place: Place
  readonly keys: HmacKeyDraft[]
  activeKey: { readonly id: number; readonly place: Place } | null
  monotonic: boolean
  windowSeconds: number | null
  mode: { readonly value: HmacMode; readonly place: Place } | null
}

/** `use_vmac`: what of it is written. */
export type VmacDraft = {
  readonly place: Place
  name: string | null
  /** 6 octets, or 5: the VRID is the last. */
  mac: { readonly octets: readonly number[]; readonly place: Place } | null
  group: number | null
}

/** `use_ipvlan`: what of it is written. */
export type IpvlanDraft = {
  readonly place: Place
  name: string | null
  address: { readonly address: Ip; readonly prefixLength: number } | null
  mode: IpvlanMode | null
  group: number | null
}

export type InstanceDraft = InheritedDraft & {
  name: string
  place: Place
  interface: string | null
  state: 'MASTER' | 'BACKUP' | null
  version: 2 | 3 | null
  versionPlace: Place
  family: 4 | 6 | null
  authType: 'PASS' | 'AH' | null
  password: string | null
  authPlace: Place | null
  /** auth_hmac was written. */
  hmac: HmacDraft | null
  addresses: VirtualAddress[]
  excluded: VirtualAddress[]
  routes: Route[]
  rules: Rule[]
  noAddresses: boolean
  source: Ip | null
  group: Ip | null
  groupPlace: Place | null
  /** A unicast keyword was written. */
  unicastPlace: Place | null
  peers: Peer[]
  ttl: number | null
  ttlPlace: Place
  trackInterfaces: TrackedDraft[]
  trackChecks: TrackedDraft[]
  notify: NotifyDraft
  vmac: VmacDraft | null
  ipvlan: IpvlanDraft | null
  /** `vrf`. */
  vrf: { readonly name: string; readonly place: Place } | null
  /** Of vmac_xmit_base. */
  xmitBasePlace: Place | null
  /** use_vmac_addr was written. */
  vmacAddresses: boolean
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
  readonly options: Written<GroupOptions>
  readonly notifyOptions: Written<NotifyOptions>
  notify: NotifyDraft
}

export type TrackGroupDraft = {
  readonly name: string
  readonly place: Place
  /** null: no list has been written. */
  members: { readonly name: string; readonly place: Place }[] | null
}

export type StaticsDraft = {
  readonly addresses: StaticAddress[]
  readonly routes: Route[]
  readonly rules: Rule[]
  /** Those defined so far: an entry names one that stands above it. */
  readonly trackGroups: Map<string, TrackGroupDraft>
}

export type Draft = {
  readonly instances: InstanceDraft[]
  readonly groups: GroupDraft[]
  readonly statics: StaticsDraft
}

export const emptyDraft = (): Draft => ({
  instances: [],
  groups: [],
  statics: { addresses: [], routes: [], rules: [], trackGroups: new Map() },
})

const noNotify = (): NotifyDraft => ({
  master: null,
  backup: null,
  fault: null,
  stop: null,
  deleted: null,
  saysDeleted: false,
  masterRxLowerPri: null,
  any: null,
})

export const globalDraft = (): GlobalDraft => ({
  identity: new Written(),
  options: new Written(),
  inputs: new Written(),
  mail: new Written(),
  instances: {
    options: new Written(),
    garp: new Written(),
    unicast: new Written(),
    notifyOptions: new Written(),
  },
  interfaceDelays: new Map(),
  http: [],
  umask: null,
  controlGroup: null,
  pushGroup: null,
  processors: null,
  httpPeers: [],
  snmp: noSnmp,
  mailTo: [],
  mailServer: null,
  scriptUser: null,
  fifos: new Map(),
  startupScript: null,
  shutdownScript: null,
})

export const scriptDraft = (name: string, place: Place): ScriptDraft => ({
  name,
  place,
  raw: null,
  command: '',
  commandPlace: place,
  asks: null,
  user: null,
  badUser: null,
  options: new Written(),
  weight: 0,
  reverse: false,
  initialValue: null,
})

export const instanceDraft = (name: string, place: Place): InstanceDraft => ({
  options: new Written(),
  garp: new Written(),
  unicast: new Written(),
  notifyOptions: new Written(),
  name,
  place,
  interface: null,
  state: null,
  version: null,
  versionPlace: place,
  family: null,
  authType: null,
  password: null,
  authPlace: null,
  hmac: null,
  addresses: [],
  excluded: [],
  routes: [],
  rules: [],
  noAddresses: false,
  source: null,
  group: null,
  groupPlace: null,
  unicastPlace: null,
  peers: [],
  ttl: null,
  ttlPlace: place,
  trackInterfaces: [],
  trackChecks: [],
  notify: noNotify(),
  vmac: null,
  ipvlan: null,
  vrf: null,
  xmitBasePlace: null,
  vmacAddresses: false,
  refused: null,
})

export const groupDraft = (name: string, place: Place): GroupDraft => ({
  name,
  place,
  members: null,
  refused: null,
  trackInterfaces: [],
  trackChecks: [],
  options: new Written(),
  notifyOptions: new Written(),
  notify: noNotify(),
})
