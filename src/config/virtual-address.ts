/** An address that an instance, or the configuration as a whole, sets. */
import type { Ip } from '../base/ip.ts'
import type { Place } from './place.ts'

export type VirtualAddress = {
  readonly address: Ip
  readonly prefixLength: number
  /** null: the instance's interface. */
  readonly interface: string | null
  /** The virtual link, on that interface, that carries the address; null: the interface itself does. */
  readonly vmac: string | null
  readonly broadcast: Ip | null
  readonly label: string | null
  /** RT_SCOPE_*: 0 global, 253 link, 254 host. */
  readonly scope: number
  readonly peer: { readonly address: Ip; readonly prefixLength: number } | null
  readonly home: boolean
  /** IPv6 duplicate address detection is skipped unless `-nodad` is written. */
  readonly nodad: boolean
  readonly mngtmpaddr: boolean
  readonly noprefixroute: boolean
  readonly autojoin: boolean
  readonly track: boolean
  /** Seconds; null is for ever. */
  readonly preferredSeconds: number | null
  readonly place: Place
}

/** `use_vmac` on an address, until the links have their names. */
export const vmacWanted = '?'
