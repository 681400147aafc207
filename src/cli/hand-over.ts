/** `vipd failover` and `vipd drain`: asks for a hand-over and prints what became of each instance. */
import { unreachable } from '../base/assert.ts'
import { requestHandOver } from '../control/client.ts'
import type { HandOver } from '../report/hand-over.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { printable } from './format.ts'
import { daemonSocket } from './trusted-directory.ts'

/** What the exit statuses of failover, drain and resume mean. */
export const handOverStatuses =
  'Exit status: 0 done, 1 not (with the reason), 2 no daemon answers, 3 wrong usage.'

/** The exit status: good only when every instance was handed over, or was not master here. */
export function handOver(
  runDir: string,
  verb: 'failover' | 'drain',
  name?: string,
): Promise<number> {
  return asking(async () => {
    const all = await requestHandOver(daemonSocket(runDir), verb, name)
    for (const one of all) process.stdout.write(`${printable(describe(one))}\n`)
    const good = all.every(
      ({ outcome }) => outcome === 'handed-over' || outcome === 'was-not-master',
    )
    return good ? exit.ok : exit.degraded
  })
}

function describe({ name, outcome, tookMs, to }: HandOver): string {
  const seconds = `${(tookMs / 1_000).toFixed(2)} s`
  switch (outcome) {
    case 'handed-over':
      return `${name}: handed over${to === null ? '' : ` to ${to}`} after ${seconds}`
    case 'was-not-master':
      return `${name}: was not master here`
    case 'kept':
      return `${name}: still MASTER with its own priority again, no peer took over within ${seconds} (no peer, or one with nopreempt?)`
    case 'pending':
      return `${name}: still MASTER after ${seconds}; it goes on to hand over, see vipd status`
    case 'owner':
      return `${name}: an address owner (priority 255) cannot hand over: no peer can have a higher priority`
    case 'left':
      return `${name}: is not master any more, for a reason of its own; see vipd history ${name}`
    default:
      return unreachable(outcome)
  }
}
