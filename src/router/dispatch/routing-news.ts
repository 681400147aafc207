/** Of routes and rules that are removed or replaced the kernel tells only while the configuration has any. */
import { OpError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Prefix } from '../../base/routing.ts'
import type { Config } from '../../config/types.ts'
import type { Engine } from '../../engine/contract.ts'
import { routingNewsFilter } from '../../wire/bpf.ts'
import { vipdProtocol } from '../../wire/rtnetlink-address.ts'
import { routingGroups } from '../../wire/rtnetlink-numbers.ts'

const none = new Uint8Array()

export class RoutingNews {
  readonly #engine: Pick<Engine, 'listen'>
  readonly #log: Log
  /** Empty: nothing is listened for. */
  #filter: Uint8Array = none

  constructor(engine: Pick<Engine, 'listen'>, log: Log) {
    this.#engine = engine
    this.#log = log
  }

  follow({ instances, statics }: Pick<Config, 'instances' | 'statics'>): void {
    const all = [statics, ...instances]
    const any = all.some(({ routes, rules }) => routes.length + rules.length > 0)
    const destinations: Prefix[] = all.flatMap(({ routes }) => routes.map((it) => it.destination))
    const filter = routingNewsFilter(vipdProtocol, destinations)
    const wanted = any ? filter : none
    if (Buffer.compare(wanted, this.#filter) === 0) return
    try {
      this.#engine.listen(any ? routingGroups : [], filter)
      this.#filter = wanted
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#log.error(
        `Routes and rules that others remove or replace are not noticed: ${error.message}`,
      )
    }
  }
}
