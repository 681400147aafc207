/** An address as vipd sets it, with nothing written beside the address. */
import type { Ip } from '../../../src/base/ip.ts'
import type { AddressSpec } from '../../../src/wire/rtnetlink-address.ts'

export const plainAddress = (address: string, more: Partial<AddressSpec> = {}): AddressSpec => ({
  ifindex: 2,
  address: address as Ip,
  prefixLength: 24,
  peer: null,
  broadcast: null,
  label: null,
  scope: 0,
  home: false,
  nodad: false,
  mngtmpaddr: false,
  noprefixroute: false,
  autojoin: false,
  preferredSeconds: null,
  validSeconds: null,
  ...more,
})
