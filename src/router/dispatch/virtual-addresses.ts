/** What the configuration says is virtual, and so no source of an instance that has another; while a plan is applied, what either does. */
import type { Ip } from '../../base/ip.ts'
import type { Config } from '../../config/types.ts'
import { addressesOf } from '../reload/units.ts'

type Instances = Pick<Config, 'instances'>

export class VirtualAddresses {
  #all: ReadonlySet<Ip> = new Set()
  /** Virtual in one of the configurations that a plan leads from and to, and not in the other. */
  #unsettled: ReadonlySet<Ip> = new Set()

  get all(): ReadonlySet<Ip> {
    return this.#all
  }

  adopt(config: Instances): void {
    this.#all = virtualIn(config)
  }

  /** Before the first unit of a plan. */
  begin(next: Instances): void {
    const before = this.#all
    const wanted = virtualIn(next)
    this.#all = new Set([...before, ...wanted])
    this.#unsettled = new Set([...this.#all].filter((one) => !(before.has(one) && wanted.has(one))))
  }

  /** After the last one. Those that are virtual from now on, and those that are not any more. */
  settle(next: Instances): ReadonlySet<Ip> {
    const changed = this.#unsettled
    this.#all = virtualIn(next)
    this.#unsettled = new Set()
    return changed
  }
}

const virtualIn = ({ instances }: Instances): ReadonlySet<Ip> =>
  new Set(instances.flatMap(addressesOf).map(({ address }) => address))
