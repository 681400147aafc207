/** Which virtual router a packet on its way out belongs to: from its IP header on, as a packet socket shows it. */
import { messageAt } from './incoming.ts'
import { vrrpProtocol } from './vrrp.ts'

/** '4 51': family and VRID of an advert to a multicast group; null for anything else. */
export function outgoingVrid(packet: Uint8Array): string | null {
  const version = (packet[0] ?? 0) >> 4
  if (version === 4) {
    const message = messageAt(packet)
    const multicast = ((packet[16] ?? 0) & 0xf0) === 0xe0
    const vrid = message === null ? undefined : packet[message.at + 1]
    return multicast && vrid !== undefined ? `4 ${vrid}` : null
  }
  if (version !== 6 || packet[6] !== vrrpProtocol || packet[24] !== 0xff) return null
  const vrid = packet[41]
  return vrid === undefined ? null : `6 ${vrid}`
}
