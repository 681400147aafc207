/**
 * A finished draft → an instance: defaults, and the rules by which keywords of one instance bear on each
 * other. Every correction is said, with what is used instead.
 */
import { isLinkLocal } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import { secondsToUs, us } from '../../base/time.ts'
import type { InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Written } from '../draft/written.ts'
import { optionValue, settle, settlePlain } from '../grammar/settle.ts'
import { garpOptions } from '../keywords/announcements.ts'
import { globalInputs, globalOptions } from '../keywords/global.ts'
import { instanceOptions } from '../keywords/instance-options.ts'
import { unicastOptions } from '../keywords/unicast.ts'
import { addressesMax, peersMax } from '../language/limits.ts'
import type { Instance, InstanceOptions, Transport } from '../types.ts'
import type { Vmac } from '../vmac.ts'
import { advertRoom } from './advert-room.ts'
import { hmacOf } from './auth-hmac.ts'
import { type Authentication, authenticationOf } from './authentication.ts'
import { garpGroupsOf } from './garp-group.ts'
import { notifyOf } from './notify.ts'
import { receiveBuffer } from './receive-buffer.ts'
import { keepTrackers } from './tracked.ts'
import type { LinksDraft } from './virtual-links.ts'

/** What several rules need to know about one instance. */
type Facts = {
  readonly family: 4 | 6
  readonly version: 2 | 3
  readonly priority: number
  readonly owner: boolean
  readonly strict: boolean
}

/** null: the instance is left out (refused), or the daemon would not start (counted as a refusal). */
export function finishInstance(
  draft: InstanceDraft,
  { weightsForbidden, links }: { readonly weightsForbidden: boolean; readonly links: LinksDraft },
  lowering: Lowering,
): Instance | null {
  const facts = factsOf(draft, lowering)
  const transport = transportOf(draft, facts, lowering)
  if (!mayRun(draft, facts, transport, lowering)) return null
  const { strict } = facts
  const { name, place } = draft
  const inherited = lowering.globals.instances
  const block = <R>(written: Written<R>, inherited: Written<R>) =>
    ({ written, inherited, strict, name, place }) as const
  const options = settle(instanceOptions, block(draft.options, inherited.options), lowering)
  const authentication = authenticationOf(draft, facts, lowering)
  const stateMaster = masterState(draft, facts, authentication, lowering)
  const preemption = preemptionOf(draft, options, facts, stateMaster, lowering)
  const advertIntervalUs = advertInterval(draft, options, facts, lowering)
  const hmac = hmacOf(draft, { strict, advertIntervalUs }, lowering)
  if (isLeftOut(draft, lowering)) return null
  moveExcess(draft, { ...facts, ...authentication }, lowering)
  // What is spread comes last: an object literal is as large as its first lines say, and grows by copying.
  return {
    name,
    interface: draft.interface,
    family: facts.family,
    version: facts.version,
    stateMaster,
    password: authentication.password,
    ahKey: authentication.ahKey,
    hmac,
    addresses: draft.addresses,
    excluded: draft.excluded,
    routes: draft.routes,
    rules: draft.rules,
    staticInterfaces: [],
    transport,
    vmac: vmacOf(draft, links, { strict, unicast: transport.kind === 'unicast' }, lowering),
    ipvlan: links.ipvlan?.name ?? null,
    vrf: vrfOf(draft, lowering),
    virtualLinks: links.links,
    garp: settle(garpOptions, block(draft.garp, inherited.garp), lowering),
    garpGroups: garpGroupsOf(draft, lowering),
    addressLifetimeSeconds: optionValue(
      globalOptions,
      'addressLifetimeSeconds',
      lowering.globals.options,
      null,
      lowering,
    ),
    notify: notifyOf(draft, lowering),
    place,
    ...keepTrackers(draft, facts.owner, weightsForbidden, lowering),
    ...options,
    promoteSecondaries: promotingOf(draft, options, links, lowering),
    ...preemption,
    priority: facts.priority,
    advertIntervalUs,
    receiveBufferBytes:
      options.receiveBufferBytes ??
      receiveBuffer(draft, { ...facts, hmac, ahKey: authentication.ahKey }, lowering),
    accept: acceptOf(draft, facts, lowering),
  }
}

function factsOf(draft: InstanceDraft, lowering: Lowering): Facts {
  const family = draft.family ?? 4
  const { instances, inputs } = lowering.globals
  const strict = optionValue(instanceOptions, 'strict', draft.options, instances.options, lowering)
  const priority = draft.options.get('priority') ?? (draft.state === 'MASTER' ? 255 : 100)
  let version =
    draft.version ??
    (family === 6 ? 3 : optionValue(globalInputs, 'version', inputs, null, lowering))
  if (strict && family === 6 && version === 2) {
    const message = `${draft.name}: strict mode has no version 2 for IPv6; version 3 is used`
    lowering.error(draft.versionPlace, 'strict-mode', message)
    version = 3
  }
  return { family, version, priority, owner: priority === 255, strict }
}

/** The conditions without which there is nothing to run. */
function mayRun(
  draft: InstanceDraft,
  facts: Facts,
  transport: Transport,
  lowering: Lowering,
): boolean {
  const before = lowering.refusals
  const { name, place } = draft
  if (draft.options.get('vrid') === undefined) {
    lowering.refuse(place, 'missing-vrid', `${name} has no virtual_router_id`)
  }
  const remote = transport.kind === 'unicast' && draft.source !== null && !isLinkLocal(draft.source)
  if (draft.interface === null && !remote) {
    lowering.refuse(place, 'no-interface', `${name} has no interface`)
  }
  requireAddress(draft, facts, lowering)
  reportTooMany(draft, lowering)
  if (draft.xmitBasePlace !== null && draft.vmac === null) {
    lowering.error(draft.xmitBasePlace, 'no-vmac', `${name}: vmac_xmit_base needs use_vmac`)
  }
  if (draft.vmac !== null && draft.interface === null) {
    lowering.error(draft.vmac.place, 'vmac', `${name}: use_vmac needs an interface; it is ignored`)
  }
  if (draft.ipvlan !== null && draft.interface === null) {
    const message = `${name}: use_ipvlan needs an interface; it is ignored`
    lowering.error(draft.ipvlan.place, 'ipvlan', message)
  }
  return !isLeftOut(draft, lowering) && lowering.refusals === before
}

function isLeftOut({ name, refused }: InstanceDraft, lowering: Lowering): boolean {
  if (refused === null) return false
  lowering.error(refused.place, 'refused-instance', `${name} is left out: ${refused.why}`)
  return true
}

/** A file that means so many is no configuration for one host. */
function reportTooMany(draft: InstanceDraft, lowering: Lowering) {
  const { name, place, addresses, excluded, peers } = draft
  const count = addresses.length + excluded.length
  if (count > addressesMax) {
    const message = `${name} has ${count} addresses; an instance may have ${addressesMax}`
    lowering.refuse(place, 'too-many-addresses', message)
  }
  if (peers.length > peersMax) {
    const message = `${name} has ${peers.length} unicast peers; an instance may have ${peersMax}`
    lowering.refuse(place, 'too-many-peers', message)
  }
}

function requireAddress(draft: InstanceDraft, facts: Facts, lowering: Lowering) {
  const { name, place } = draft
  if (draft.addresses.length > 0 || (draft.noAddresses && !facts.strict)) return
  if (facts.strict || facts.version === 3) {
    const why = facts.strict ? 'strict mode' : 'version 3'
    lowering.refuse(place, 'no-address', `${name} has no virtual address; ${why} needs one`)
  } else lowering.error(place, 'no-address', `${name} has no virtual address`)
}

function transportOf(draft: InstanceDraft, facts: Facts, lowering: Lowering): Transport {
  const { instances, inputs } = lowering.globals
  const options = settlePlain(unicastOptions, draft.unicast, lowering, instances.unicast)
  const unicastPlace = draft.unicastPlace ?? draft.unicast.placeOf('checkSource')
  if (unicastPlace !== undefined) {
    const { source, peers, ttl } = draft
    if (peers.length > 0 || options.faultNoPeer) {
      if (draft.groupPlace !== null) {
        const message = `${draft.name} is unicast; mcast_dst_ip ${draft.group} is ignored`
        lowering.error(draft.groupPlace, 'unicast-group', message)
      }
      return { kind: 'unicast', source, peers, ttl, ...options }
    }
    const message = `${draft.name} has a unicast keyword and no peer: it uses multicast (unicast_fault_no_peer makes that a fault)`
    lowering.error(unicastPlace, 'no-peer', message)
  }
  if (draft.ttl !== null) {
    const message = `${draft.name} has no unicast peer; unicast_ttl is ignored`
    lowering.error(draft.ttlPlace, 'no-peer', message)
  }
  const usual = facts.family === 4 ? 'group4' : 'group6'
  const group = draft.group ?? optionValue(globalInputs, usual, inputs, null, lowering)
  const [first] = draft.addresses
  if (facts.strict && facts.family === 6 && first !== undefined && !isLinkLocal(first.address)) {
    const message = `${draft.name}: strict mode wants a link-local address first, not ${first.address}`
    lowering.error(first.place, 'strict-mode', message)
  }
  return { kind: 'multicast', group, source: draft.source }
}

function masterState(
  draft: InstanceDraft,
  facts: Facts,
  { ahKey }: Authentication,
  lowering: Lowering,
): boolean {
  const written = draft.state === 'MASTER'
  // Its first advert would begin a sequence of its own, and a router that remembers another drops it.
  if (written && ahKey !== null) {
    const message = `${draft.name}: state MASTER and auth_type AH exclude each other; BACKUP is used`
    lowering.error(draft.place, 'ah-state', message)
    return false
  }
  if (!facts.strict) return draft.state === null ? facts.owner : written
  if (draft.state !== null && written !== facts.owner) {
    const message = `${draft.name}: strict mode has state MASTER exactly where the priority is 255; ${facts.owner ? 'MASTER' : 'BACKUP'} is used`
    lowering.error(draft.place, 'strict-mode', message)
  }
  return facts.owner
}

function preemptionOf(
  { name, place, options }: InstanceDraft,
  written: InstanceOptions,
  facts: Facts,
  stateMaster: boolean,
  lowering: Lowering,
): Pick<InstanceOptions, 'preempt' | 'preemptDelayUs'> {
  let { preempt, preemptDelayUs } = written
  const correct = (field: 'preempt' | 'preemptDelayUs', message: string) => {
    lowering.error(options.placeOf(field) ?? place, 'preempt', `${name}: ${message}`)
  }
  if (!preempt && (facts.owner || stateMaster)) {
    correct('preempt', `nopreempt needs state BACKUP and a priority below 255; it is ignored`)
    preempt = true
  }
  if (preemptDelayUs > 0 && stateMaster) {
    correct('preemptDelayUs', 'preempt_delay needs state BACKUP; it is ignored')
    preemptDelayUs = us(0)
  }
  if (preemptDelayUs > 0 && facts.strict) {
    correct('preemptDelayUs', 'strict mode has no preempt_delay; it is ignored')
    preemptDelayUs = us(0)
  }
  if (preemptDelayUs > 0 && !preempt) {
    correct('preemptDelayUs', 'nopreempt makes preempt_delay meaningless; the delay is ignored')
    preemptDelayUs = us(0)
  }
  return { preempt, preemptDelayUs }
}

/** v2: whole seconds 1..255; v3: centiseconds up to 40.95 s. */
function advertInterval(
  { name, place, options }: InstanceDraft,
  { advertIntervalUs: written }: InstanceOptions,
  facts: Facts,
  lowering: Lowering,
): Us {
  const used =
    facts.version === 2
      ? Math.min(Math.max(Math.round(written / 1_000_000), 1), 255)
      : Math.min(Math.max(Math.round(written / 10_000), 1), 4095) / 100
  if (secondsToUs(used) !== written) {
    const rule = facts.version === 2 ? 'whole seconds' : 'steps of 0.01 s up to 40.95 s'
    const message = `${name}: version ${facts.version} has ${rule}; advert_int ${used} is used`
    lowering.error(options.placeOf('advertIntervalUs') ?? place, 'advert-int', message)
  }
  return secondsToUs(used)
}

function vmacOf(
  { name, vmac, xmitBasePlace }: InstanceDraft,
  links: LinksDraft,
  { strict, unicast }: { readonly strict: boolean; readonly unicast: boolean },
  lowering: Lowering,
): Vmac | null {
  if (links.vmac === null || vmac === null) return null
  if (unicast && xmitBasePlace === null) {
    const message = `${name}: with unicast peers adverts carry the MAC address of the interface (vmac_xmit_base), as that is what peers send to`
    lowering.error(vmac.place, 'vmac', message)
  }
  if (!unicast && xmitBasePlace !== null && strict) {
    const message = `${name}: strict mode has no vmac_xmit_base; it is ignored`
    lowering.error(xmitBasePlace, 'strict-mode', message)
  }
  return { ...links.vmac, xmitBase: unicast || (xmitBasePlace !== null && !strict) }
}

/** The kernel keeps the addresses of a virtual link anyway, and the interface below has none of them. */
function promotingOf(
  { name, options }: InstanceDraft,
  { promoteSecondaries }: Pick<Instance, 'promoteSecondaries'>,
  { vmac }: LinksDraft,
  lowering: Lowering,
): boolean {
  const place = options.placeOf('promoteSecondaries')
  if (!promoteSecondaries || vmac === null || place === undefined) return promoteSecondaries
  const message = `${name}: use_vmac has a link of its own with promote_secondaries set; the line is ignored`
  lowering.error(place, 'vmac', message)
  return false
}

function vrfOf({ name, vrf, interface: own }: InstanceDraft, lowering: Lowering): string | null {
  if (vrf === null || own === null) return vrf?.name ?? null
  const message = `${name}: vrf ${vrf.name} has no effect beside interface ${own}`
  lowering.error(vrf.place, 'vrf', message)
  return null
}

function acceptOf(
  { name, place, options }: InstanceDraft,
  { strict, owner, version }: Facts,
  lowering: Lowering,
): boolean {
  const accept = options.get('accept') ?? (!strict || owner)
  if (!accept || !strict || owner || version !== 2) return accept
  const message = `${name}: strict mode has no accept in version 2; packets to the addresses are not answered`
  lowering.error(options.placeOf('accept') ?? place, 'strict-mode', message)
  return false
}

/** What fits into an advert stays; the rest moves unadvertised. */
function moveExcess(
  draft: InstanceDraft,
  facts: Facts & Pick<Authentication, 'ahKey'>,
  lowering: Lowering,
): void {
  const mtu =
    draft.interface === null ? null : lowering.world.interfaceMtu(draft.interface, facts.family)
  const room = advertRoom({ ...facts, hmac: draft.hmac }, mtu)
  if (draft.addresses.length <= room) return
  const of = mtu === null ? '' : ` on ${draft.interface} (MTU ${mtu})`
  const message = `${draft.name} has ${draft.addresses.length} addresses and an advert${of} has room for ${room}; the others are treated as virtual_ipaddress_excluded`
  lowering.error(draft.place, 'too-many-addresses', message)
  draft.excluded = [...draft.addresses.splice(room), ...draft.excluded]
}
