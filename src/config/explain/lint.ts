/**
 * Combinations that are legal and bite: each is a report that operators have written again and again.
 * They change no exit status, but an owner below 255 in strict mode.
 */
import { ipFamily, isLinkLocal } from '../../base/ip.ts'
import type { Place } from '../place.ts'
import type { Config, Diagnostic, Instance } from '../types.ts'
import type { ForeignAddress, World } from '../world.ts'
import { lintBfd } from './lint-bfd.ts'
import { lintLease } from './lint-lease.ts'
import { arithmetic, trackersOf } from './print-arithmetic.ts'

type Say = (place: Place, code: string, message: string) => void

/** Looks at a configuration that is otherwise valid. */
export function lint(config: Config, world: World): readonly Diagnostic[] {
  const found: Diagnostic[] = []
  const warn: Say = (place, code, message) => {
    found.push({ place, severity: 'warning', code, message, verdict: 'none' })
  }
  const note: Say = (place, code, message) => {
    found.push({ place, severity: 'note', code, message, verdict: 'none' })
  }
  ownLinks(config, world, warn)
  for (const instance of config.instances) {
    owner(instance, warn)
    owned(instance, world, found)
    weights(instance, config, warn, note)
    answers(instance, warn)
    unicast(instance, warn)
    multicast(instance, world, warn)
    linkLocal(instance, warn)
    weakSignature(instance, warn)
  }
  for (const script of config.scripts) {
    if (script.timeoutUs > script.intervalUs) {
      const message = `${script.name}: the timeout (${seconds(script.timeoutUs)}) is longer than the interval (${seconds(script.intervalUs)}); a run that takes long lets the next ones be passed over`
      note(script.place, 'timeout-over-interval', message)
    }
  }
  lintBfd(config, world, warn)
  lintLease(config, warn, note)
  privileges(config, note)
  return found
}

/** A key of eight octets at most, and MD5: recorded adverts are enough to find it out. */
function weakSignature({ name, place, ahKey }: Instance, warn: Say) {
  if (ahKey === null) return
  const message = `${name}: auth_type AH is MD5 with a key of 8 characters at most, which recorded adverts give away to a patient computer; auth_hmac is SHA-256 with a long key, where both routers have it`
  warn(place, 'weak-signature', message)
}

/** Said to those who ask for security, where no script is seen to need what it takes away. */
function privileges({ globals, scripts }: Config, note: Say) {
  if (!globals.scriptSecurity || globals.scriptNoNewPrivs) return
  const programs = scripts.filter(({ run: { command, runAs } }) => {
    const program = command.kind === 'argv' || command.kind === 'shell'
    return program && runAs !== null && runAs.uid !== 0
  })
  const [first] = programs
  if (first === undefined || programs.some(({ run }) => needPrivileges.test(run.raw))) return
  const message =
    'scripts may gain privileges through set-user-ID programs like sudo; where none needs to, vipd_script_no_new_privs forbids it'
  note(first.place, 'no-new-privs', message)
}

const needPrivileges = /\b(?:sudo|doas|su|ping6?|fping|arping|traceroute)\b/

const seconds = (us: number): string => `${us / 1_000_000} s`

function owner(instance: Instance, warn: Say) {
  if (instance.priority !== 255) return
  const { name, place, stateMaster } = instance
  const cause = stateMaster ? ' (state MASTER without a priority means that too)' : ''
  const message = `${name} has priority 255${cause}: it takes over at once, without listening first, and no failing check moves its addresses unless it faults`
  warn(place, 'address-owner', message)
}

/**
 * A virtual address that is the host's own. RFC 9568 section 5.2.4: its owner MUST use priority 255. With any other it is
 * a backup that answers for the address beside the master.
 */
function owned(instance: Instance, world: World, found: Diagnostic[]) {
  const { name, priority, strict, addresses, excluded } = instance
  for (const { address, interface: other, place } of [...addresses, ...excluded]) {
    const link = other ?? instance.interface
    const held = link === null ? [] : world.foreignAddresses(link)
    const own = held.find((a) => a.address === address)
    if (own === undefined) continue
    const what = `${name}: ${address} is this host's own address on ${link} (/${own.prefixLength})`
    const kept = 'vipd neither sets, renews nor removes it'
    if (priority === 255) {
      const message = `${what}: ${kept}`
      found.push({ place, severity: 'note', code: 'own-address', message, verdict: 'none' })
      if (ownerSource(instance, held) !== address) continue
      const heard = `${name}: ${link} has no other address, so adverts come from ${address}. A backup that leads has the same address, and its kernel drops them unless net.ipv4.conf.*.accept_local is 1 there: two masters. Give ${link} another address`
      found.push({
        place,
        severity: 'warning',
        code: 'owner-source',
        message: heard,
        verdict: 'none',
      })
      continue
    }
    const message = `${what}, and its owner must have priority 255 (RFC 9568 section 5.2.4), not ${priority}: ${kept}, so that this host answers for it beside another master`
    const weight = strict
      ? ({ severity: 'error', verdict: 'config' } as const)
      : ({ severity: 'warning', verdict: 'none' } as const)
    found.push({ place, code: 'owner-priority', message, ...weight })
  }
}

/** What an IPv4 owner sends from, where that is one of its virtual addresses; null: it is none of them. */
function ownerSource(
  { family, transport, addresses, excluded }: Instance,
  held: readonly ForeignAddress[],
) {
  const four = held.filter((a) => ipFamily(a.address) === 4)
  const virtual = new Set([...addresses, ...excluded].map((a) => a.address))
  if (family === 6) return null
  if (transport.source !== null) return virtual.has(transport.source) ? transport.source : null
  return four.some((a) => !virtual.has(a.address)) ? null : (four[0]?.address ?? null)
}

function weights(instance: Instance, config: Config, warn: Say, note: Say) {
  const sums = arithmetic(instance, config)
  if (sums.contributions.length === 0) return
  const { name, place } = instance
  const { lowest, highest } = sums
  const range = `its priority moves between ${lowest} and ${highest}`
  const [worst, best] = sums.sums
  // What a file will hold is not known.
  const known = sums.contributions.every(({ kind }) => kind !== 'file')
  if (known && (worst !== lowest || best !== highest)) {
    const message = `${name}: ${worst}..${best} is more than 1..254; ${range}`
    warn(place, 'weight-clamped', message)
  }
  if (!instance.preempt) {
    const message = `${name}: ${range}, but routers with nopreempt leave a master with lower priority in place: unless its peer preempts, these weights never move the addresses. A script without a weight faults instead, which does`
    warn(place, 'nopreempt-weight', message)
  } else if (highest - lowest < 2) {
    const message = `${name}: ${range}; no peer's priority lies between, so the weights move the addresses only where priorities are equal and the source address decides`
    warn(place, 'weight-too-small', message)
  } else {
    const message = `${name}: ${range}; the addresses move only to a peer whose priority lies between these`
    note(place, 'weight-range', message)
  }
}

/** The most reported surprise of copied samples: the address does not answer to ping. */
function answers(instance: Instance, warn: Say) {
  if (instance.accept || instance.priority === 255) return
  const { name, place, strict } = instance
  const cause = strict ? 'strict mode implies no_accept' : 'no_accept is set'
  const message = `${name}: ${cause}, so nothing on this host answers at the virtual addresses, not even ping`
  warn(place, 'no-accept', message)
}

function unicast(instance: Instance, warn: Say) {
  const { transport, name, place, strict } = instance
  if (transport.kind !== 'unicast') return
  if (transport.peers.some((peer) => peer.address === transport.source)) {
    warn(place, 'peer-is-self', `${name} lists its own source ${transport.source} as a peer`)
  }
  if (strict) warn(place, 'strict-unicast', `${name}: unicast is not what strict mode stands for`)
}

function multicast(instance: Instance, world: World, warn: Say) {
  const { transport, interface: link, name, place } = instance
  if (transport.kind !== 'multicast' || link === null) return
  if (world.interfaceExists(link) && !world.interfaceMulticast(link)) {
    warn(place, 'no-multicast', `${name}: ${link} has no multicast; use unicast_peer`)
  }
}

const settingsFolder = '/proc/sys/net/ipv6/conf'

/** Of its own links the daemon sets IPv6 off, or accepting nothing, by files alone. */
function ownLinks({ instances }: Config, world: World, warn: Say) {
  const first = instances.find(({ virtualLinks }) => virtualLinks.length > 0)
  if (first === undefined || !world.readOnly(settingsFolder)) return
  const [link] = first.virtualLinks
  const message = `${settingsFolder} is read-only here: IPv6 of ${link?.name} and other links that vipd makes stays as the kernel has it (a systemd unit: ReadWritePaths=${settingsFolder} beside ProtectKernelTunables; a container: a writable /proc/sys/net)`
  warn(first.place, 'read-only-settings', message)
}

/** RFC 9568 sections 5.1.2.1 and 5.2.9: a router of another make may ignore what does not obey them. */
function linkLocal(instance: Instance, warn: Say) {
  const { family, version, transport, addresses, strict, name, place } = instance
  if (family !== 6 || version !== 3) return
  const [first] = addresses
  // Strict mode has called it an error.
  if (first !== undefined && !isLinkLocal(first.address) && !strict) {
    const message = `${name}: the first address must be link-local (RFC 9568 section 5.2.9), not ${first.address}`
    warn(first.place, 'first-not-link-local', message)
  }
  const { source } = transport
  if (transport.kind === 'multicast' && source !== null && !isLinkLocal(source)) {
    const message = `${name}: adverts over IPv6 come from a link-local address (RFC 9568 section 5.1.2.1), not from ${source}`
    warn(place, 'source-not-link-local', message)
  }
}

/** True when any instance depends on the script; kept here for the report. */
export const scriptUsers = (config: Config, script: string): readonly string[] =>
  config.instances
    .filter((one) => trackersOf(one, config).scripts.some((tracked) => tracked.name === script))
    .map((one) => one.name)
