/** What a master has to add and to remove when its facts change under a standing lead. */
import { isDeepStrictEqual } from 'node:util'
import { type AddressFacts, kernelAddresses, type SlotFacts } from '../engine/plans.ts'
import { identityOf } from '../wire/address-identity.ts'

export type AddressDifference = {
  /** Not wanted any more, and not put elsewhere by what is to come. */
  readonly stale: readonly AddressFacts[]
  /** New or altered; all of them when only their lifetime changed. */
  readonly come: readonly AddressFacts[]
}

export function addressDifference(before: SlotFacts, now: SlotFacts): AddressDifference {
  const [held, wanted] = [kernelAddresses(before), kernelAddresses(now)]
  const missingIn = (all: readonly AddressFacts[]) => (a: AddressFacts) =>
    !all.some((b) => isDeepStrictEqual(a, b))
  const gone = held.filter(missingIn(wanted))
  const lasting = before.lifetimeSeconds !== now.lifetimeSeconds
  const come = lasting ? wanted : wanted.filter(missingIn(held))
  return { stale: gone.filter((a) => !come.some((b) => samePlace(a, b))), come }
}

const samePlace = (a: AddressFacts, b: AddressFacts): boolean =>
  a.ifindex === b.ifindex && identityOf(a) === identityOf(b)
