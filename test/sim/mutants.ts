/**
 * Deliberate bugs, each one line of the shipped code changed, which the simulator must catch: the proof that its
 * invariants bite. `npm run mutants` builds and runs every one; a mutant that survives is a hole in the invariants.
 */

import { adoptMutants } from './mutants/adopt.ts'
import { ahMutants } from './mutants/ah.ts'
import { bfdMutants } from './mutants/bfd.ts'
import { claimsMutants } from './mutants/claims.ts'
import { coreMutants } from './mutants/core.ts'
import { electionMutants } from './mutants/election.ts'
import { kernelMutants } from './mutants/kernel.ts'
import { leaseMutants } from './mutants/lease.ts'
import type { Mutant } from './mutants/mutant.ts'
import { reloadMutants } from './mutants/reload.ts'
import { sealsMutants } from './mutants/seals.ts'
import { upgradeMutants } from './mutants/upgrade.ts'

export const mutants: readonly Mutant[] = [
  ...electionMutants,
  ...kernelMutants,
  ...coreMutants,
  ...reloadMutants,
  ...adoptMutants,
  ...sealsMutants,
  ...ahMutants,
  ...bfdMutants,
  ...claimsMutants,
  ...leaseMutants,
  ...upgradeMutants,
]
