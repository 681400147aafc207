/** The addresses of this host's interfaces that no VRRP daemon has put there, for `vipd check`. */
import { loadAddon } from '../addon/load.ts'
import type { ForeignAddress } from '../config/world.ts'
import type { Addon } from '../engine/addon.ts'
import { decodeMessages, type RouteMessage } from '../wire/rtnetlink.ts'
import {
  encodeAddressDump,
  keepalivedProtocol,
  type LinkAddress,
  vipdProtocol,
} from '../wire/rtnetlink-address.ts'
import { encodeLinkDump } from '../wire/rtnetlink-link.ts'

/** IFA_PROTO of keepalived, and of vipd. */
const virtualMarks: readonly (number | null)[] = [keepalivedProtocol, vipdProtocol]

/** By the name of the interface. Empty where the kernel cannot be asked: then nothing is said about it. */
export function readForeignAddresses(): ReadonlyMap<string, readonly ForeignAddress[]> {
  let messages: readonly RouteMessage[]
  try {
    const { request } = loadAddon() as Addon
    messages = [encodeLinkDump(), encodeAddressDump()].flatMap((r) => decodeMessages(request(r)))
  } catch {
    return new Map()
  }
  const found = new Map<string, ForeignAddress[]>()
  for (const message of messages) {
    if (message.kind !== 'newlink') continue
    const { ifindex, name } = message.link
    const held = messages.flatMap((m) => (m.kind === 'newaddr' ? m.address : []))
    found.set(
      name,
      held.filter((a) => a.ifindex === ifindex && isForeign(a)),
    )
  }
  return found
}

/** Where the kernel keeps no marks, a lifetime tells: a configured address has none. */
const isForeign = ({ permanent, protocol }: LinkAddress): boolean =>
  permanent && !virtualMarks.includes(protocol)
