/** Whether an instance's adverts fit into one frame of its interface: longer ones are sent as fragments. */
import { advertOctets } from '../../config/build/advert-room.ts'
import type { Instance } from '../../config/types.ts'
import type { KernelLink } from '../../kernel/link-table.ts'

/** One sentence; null: they fit, or the MTU is not known. */
export function oversizedAdvert(cfg: Instance, primary: KernelLink | null): string | null {
  const octets = advertOctets(cfg, cfg.addresses.length)
  if (primary === null || primary.mtu === null || octets <= primary.mtu) return null
  return `${cfg.name}: an advert has ${octets} octets and the MTU of ${primary.name} is ${primary.mtu}: it is sent in fragments, which some networks drop; a reload advertises fewer addresses`
}
