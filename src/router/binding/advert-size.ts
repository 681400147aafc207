/** Whether an instance's adverts fit into one frame of its interface: longer ones are sent as fragments. */
import { advertOctets } from '../../config/build/advert-room.ts'
import type { Instance } from '../../config/types.ts'
import type { KernelLink } from '../../kernel/link-table.ts'

export const isOversized = (cfg: Instance, { mtu }: KernelLink): boolean =>
  mtu !== null && advertOctets(cfg, cfg.addresses.length) > mtu

/** One sentence; null: they fit, or the MTU is not known. */
export function oversizedAdvert(cfg: Instance, primary: KernelLink | null): string | null {
  if (primary === null || !isOversized(cfg, primary)) return null
  const octets = advertOctets(cfg, cfg.addresses.length)
  const from =
    cfg.vmac === null || cfg.vmac.xmitBase ? '' : ` and from the interface’s own MAC address`
  return `${cfg.name}: an advert has ${octets} octets and the MTU of ${primary.name} is ${primary.mtu}: it is sent in fragments${from}, which some networks drop; a reload advertises fewer addresses`
}
