/** The virtual MAC address of an instance. */
import type { MacText } from '../base/mac.ts'

/** `use_vmac`: adverts, and the addresses of the instance's family on its interface, have a MAC address of their own. */
export type Vmac = {
  /** Of `virtualLinks`. */
  readonly name: string
  readonly mac: MacText
  /** Link group; null: the kernel's default. */
  readonly group: number | null
  /** Adverts carry the MAC address of the interface all the same. */
  readonly xmitBase: boolean
}
