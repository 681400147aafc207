/** For every instance and every check that it tracks: what is, what would reach the target, and what that changes. */

import type { Adverts, Observation, Timing } from '../report/observation.ts'
import {
  type Budget,
  type CheckBudget,
  checkBudget,
  type InstanceBudget,
  instanceBudget,
} from './budget.ts'
import { type Choice, recommendAdverts, recommendCheck, type Target } from './recommend.ts'

export type CheckAdvice = { readonly check: CheckBudget; readonly choice: Choice<Timing> }
export type InstanceAdvice = { readonly instance: InstanceBudget; readonly choice: Choice<Adverts> }

export type Advice = {
  readonly checks: readonly CheckAdvice[]
  readonly instances: readonly InstanceAdvice[]
  /** The budget with everything that was found. */
  readonly proposed: Budget
}

export function advise(observation: Observation, budget: Budget, target: Target): Advice {
  const instances = budget.instances.map(
    (instance): InstanceAdvice => ({
      instance,
      choice: recommendAdverts(instance, target),
    }),
  )
  const advertsOf = ({ instance, choice }: InstanceAdvice): Adverts =>
    choice.kind === 'found' ? choice.setting : instance.adverts
  const checks = budget.checks.map((check): CheckAdvice => {
    // The slowest hand-over of those that wait for this check.
    const users = instances.filter(({ instance }) =>
      instance.services.some((service) => service.check === check.name),
    )
    const [slowest] = users.toSorted((a, b) => handOverOf(b, check) - handOverOf(a, check))
    if (slowest === undefined)
      return { check, choice: { kind: 'none', why: 'no instance tracks it' } }
    const resigns = resignsFor(observation, slowest.instance.name, check.name)
    return { check, choice: recommendCheck(check, advertsOf(slowest), resigns, target) }
  })
  return { checks, instances, proposed: proposedBudget(observation, checks, instances, advertsOf) }
}

const handOverOf = ({ instance }: InstanceAdvice, { name }: CheckBudget): number =>
  instance.services.find((service) => service.check === name)?.handOver.worst ?? 0

function resignsFor(observation: Observation, instance: string, check: string): boolean {
  const observed = observation.instances.find(({ name }) => name === instance)
  const weight = observed?.tracks.find(({ name }) => name === check)?.weight ?? 0
  return weight === 0 || observed?.resignsOnDemotion === true
}

function proposedBudget(
  observation: Observation,
  checks: readonly CheckAdvice[],
  instances: readonly InstanceAdvice[],
  advertsOf: (advice: InstanceAdvice) => Adverts,
): Budget {
  const settled = checks.flatMap(({ check, choice }) => {
    const observed = observation.checks.find(({ name }) => name === check.name)
    if (observed === undefined) return []
    return [checkBudget(observed, choice.kind === 'found' ? choice.setting : check.timing)]
  })
  return {
    checks: settled,
    instances: instances.flatMap((advice) => {
      const observed = observation.instances.find(({ name }) => name === advice.instance.name)
      return observed === undefined ? [] : [instanceBudget(observed, settled, advertsOf(advice))]
    }),
  }
}
