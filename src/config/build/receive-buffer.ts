/** `vrrp_rx_bufs_policy`: the receive buffer of an instance that has none of its own. */
import type { InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { settlePlain } from '../grammar/settle.ts'
import { globalInputs } from '../keywords/global.ts'
import { advertOctets } from './advert-room.ts'

/** Bytes; null: the system's default, also where the MTU is not known. Twice as much counts in the kernel. */
export function receiveBuffer(
  draft: Pick<InstanceDraft, 'interface' | 'addresses'>,
  form: Parameters<typeof advertOctets>[0],
  lowering: Lowering,
): number | null {
  const { rxBuffers, rxMultiplier } = settlePlain(globalInputs, lowering.globals.inputs, lowering)
  if (rxBuffers === null || typeof rxBuffers === 'number') return rxBuffers
  if (rxBuffers === 'ADVERT') return rxMultiplier * advertOctets(form, draft.addresses.length)
  const mtu =
    draft.interface === null ? null : lowering.world.interfaceMtu(draft.interface, form.family)
  return mtu === null ? null : rxMultiplier * mtu
}
