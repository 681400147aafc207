/**
 * What the checks say, to those that track them: the verdict of each, where a process before may have known it already, and
 * whether an instance has to wait for the first.
 */
import { describeResult, exitStatus } from '../../checks/verdict/describe.ts'
import type { CheckEvent } from '../../checks/verdict/pool-contract.ts'
import type { CheckStatus } from '../../checks/verdict/types.ts'
import type { Config } from '../../config/types.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { RouterState } from './router-state.ts'

type Carried = Pick<RouterState, 'holding' | 'verdicts'>

export class CheckVerdicts {
  readonly #ports: Pick<DispatcherPorts, 'verdict' | 'happened' | 'log'>
  /** Scripts that were there at the start hold their instances until they report; later ones do not. */
  #holding: ReadonlySet<string>
  #adopted: ReadonlyMap<string, CheckStatus> = new Map()

  /** `config`: of the start. */
  constructor(config: Config, ports: Pick<DispatcherPorts, 'verdict' | 'happened' | 'log'>) {
    this.#ports = ports
    this.#holding = new Set(trackablesOf(config))
  }

  /** What another process knew counts until a check has its first result here. null: there is none of that name. */
  of(name: string): CheckStatus | null {
    const status = this.#ports.verdict(name)
    if (status !== null && status.good !== null) return status
    return this.#adopted.get(name) ?? status
  }

  holds(name: string): boolean {
    return this.#holding.has(name)
  }

  /** That configuration is in force: what it has no more is forgotten. */
  keep(config: Config): void {
    const known = new Set(trackablesOf(config))
    this.#holding = new Set([...this.#holding].filter((name) => known.has(name)))
  }

  /** Reports what came of a check. True: those that track it are to be assessed again. */
  report(event: Exclude<CheckEvent, { readonly kind: 'worker' }>): boolean {
    const { log } = this.#ports
    const { name, result } = event
    const fields = { check: name, output: result.output, durationMs: result.durationMs }
    if (event.kind === 'verdict') {
      const why = describeResult(result)
      log.info(`VRRP_Script(${name}) ${why}`, fields)
      this.#ports.happened({ kind: 'check', name, good: event.good, why })
      return true
    }
    const status = exitStatus(result.outcome)
    if (status !== null) log.info(`Script \`${name}\` now returning ${status}`, fields)
    return event.kind !== 'returned'
  }

  snapshot({ scripts }: Config): Carried {
    const verdicts = scripts.flatMap(({ name }) => this.of(name) ?? [])
    return { holding: [...this.#holding], verdicts }
  }

  adopt({ holding, verdicts }: Carried): void {
    this.#holding = new Set(holding)
    this.#adopted = new Map(verdicts.map((one) => [one.name, one]))
  }
}

const trackablesOf = ({ scripts, bfd }: Config): readonly string[] =>
  [...scripts, ...bfd].map(({ name }) => name)
