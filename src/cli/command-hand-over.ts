/** `vipd failover`, `vipd drain` and `vipd resume`: planned hand-overs, and their end. */
import { unreachable } from '../base/assert.ts'
import { requestHandOver, requestResume } from '../control/client.ts'
import type { HandOver } from '../report/hand-over.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { daemonSocket } from './trusted-directory.ts'

export type HandOverOptions = { readonly runDir: string } & (
  | { readonly verb: 'failover'; readonly name: string }
  | { readonly verb: 'drain' }
)

export function commandHandOver(options: HandOverOptions): Promise<number> {
  return asking(async () => {
    const name = options.verb === 'failover' ? options.name : undefined
    const all = await requestHandOver(daemonSocket(options.runDir), options.verb, name)
    for (const one of all) process.stdout.write(`${describe(one)}\n`)
    const good = all.every(
      ({ outcome }) => outcome === 'handed-over' || outcome === 'was-not-master',
    )
    return good ? exit.ok : exit.degraded
  })
}

export function commandResume(options: {
  readonly runDir: string
  readonly name: string | undefined
}): Promise<number> {
  return asking(async () => {
    const names = await requestResume(daemonSocket(options.runDir), options.name)
    for (const name of names) process.stdout.write(`${name}: takes part as configured\n`)
    if (names.length === 0) process.stdout.write('nothing stood by\n')
    return exit.ok
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
      return `${name}: an address owner (priority 255) cannot hand over, nobody is better`
    case 'left':
      return `${name}: is not master any more, for a reason of its own; see vipd history ${name}`
    default:
      return unreachable(outcome)
  }
}
