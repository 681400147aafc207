/** Other machines that have an address, and a question about them that cannot be asked (docs/address-claims.md). */
import { pastClaimText } from '../report/past-claim.ts'
import type { Found } from './codes.ts'
import type { Facts } from './facts.ts'

export const claimRules = (facts: Facts): readonly Found[] => [
  ...claimed(facts),
  ...onceClaimed(facts),
  ...cannotAsk(facts),
]

const claimed = ({ status }: Facts): readonly Found[] =>
  (status?.instances ?? []).flatMap(({ name, claims }) =>
    claims.claimants.map(({ address, mac, interface: on, sameMac }) => ({
      code: 'address-claimed' as const,
      about: name,
      what: `${address} is claimed by another machine${sameMac ? ' with the MAC address of this host' : ''}: ${mac} on ${on}`,
      mend: sameMac
        ? 'find the other port of that MAC address in the table of the switch, and give one of the two machines another one'
        : 'find that MAC address in the table of the switch, and take the address away from the machine there',
    })),
  )

/** By machines that are silent now; those that are told of as claimants are left out. */
const onceClaimed = ({ status }: Facts): readonly Found[] =>
  (status?.instances ?? []).flatMap(({ name, claims }) => {
    const silent = claims.history.filter(
      ({ address, mac }) =>
        !claims.claimants.some((it) => it.address === address && it.mac === mac),
    )
    const last = silent.at(-1)
    if (last === undefined) return []
    const more = silent.length === 1 ? '' : `, the last of ${silent.length}`
    return [
      {
        code: 'address-was-claimed' as const,
        about: name,
        what: `${pastClaimText(last)}, first told of at ${last.at}${more}`,
        mend: `vipd history ${name} has all; find the MAC address in the table of the switch, and take the address away from the machine there`,
      },
    ]
  })

const cannotAsk = ({ config, host }: Facts): readonly Found[] =>
  (config?.instances ?? []).flatMap(({ name, claimCheck, interface: on }) => {
    const link = host.links?.find((it) => it.name === on)
    if (claimCheck === 'off' || link?.flags.includes('NOARP') !== true) return []
    return [
      {
        code: 'claim-check-cannot-ask' as const,
        about: name,
        what: `${name} has vipd_claim_check ${claimCheck}, and ${link.name} does no ARP: it asks about none of its addresses there`,
        mend: `vipd_claim_check off, or: ip link set ${link.name} arp on`,
      },
    ]
  })
