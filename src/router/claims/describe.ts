/** What another machine does with an address of ours, as sentences. */
import type { Claimant } from './claimant.ts'

const deeds: Readonly<Record<Claimant['how'], string>> = {
  announced: 'announces it as its own',
  used: 'uses it as its own',
  answered: 'answers for it',
  probed: 'asks whether it is free, to have it (duplicate address detection)',
}

const same =
  ' with the MAC address of this host (a copied virtual machine, or a second router with this virtual MAC address?)'

/** `others`: how many addresses of ours the same machine claims besides. */
export const describeClaim = (
  {
    address,
    mac,
    how,
    sameMac,
    interface: on,
  }: Record<'address' | 'mac' | 'interface', string> & Pick<Claimant, 'how' | 'sameMac'>,
  others: number,
): string =>
  `${address} is claimed by another machine${sameMac ? same : ''}: ${mac} on ${on} ${deeds[how]}${
    others === 0
      ? ''
      : ` (and ${others} other ${others === 1 ? 'address' : 'addresses'} of ours: a router that answers ARP for others, or a host that still has them?)`
  }`
