/** Of routes and rules that are removed the kernel tells only while the configuration has any. */
import { OpError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Config } from '../../config/types.ts'
import type { Engine } from '../../engine/contract.ts'
import { routingNewsFilter } from '../../wire/bpf.ts'
import { vipdProtocol } from '../../wire/rtnetlink-address.ts'
import { routingGroups } from '../../wire/rtnetlink-numbers.ts'

export class RoutingNews {
  readonly #engine: Pick<Engine, 'listen'>
  readonly #log: Log
  #listens = false

  constructor(engine: Pick<Engine, 'listen'>, log: Log) {
    this.#engine = engine
    this.#log = log
  }

  follow({ instances, statics }: Pick<Config, 'instances' | 'statics'>): void {
    const has = ({ routes, rules }: Pick<Config['statics'], 'routes' | 'rules'>) =>
      routes.length + rules.length > 0
    const any = has(statics) || instances.some(has)
    if (any === this.#listens) return
    try {
      this.#engine.listen(any ? routingGroups : [], routingNewsFilter(vipdProtocol))
      this.#listens = any
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#log.error(
        `Routes and rules that are removed by others are not noticed: ${error.message}`,
      )
    }
  }
}
