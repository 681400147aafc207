/** The rules themselves: on what ground a take-over by a lost BFD session is judged. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../src/base/ip.ts'
import { plainFile } from './host-file.ts'
import { Listening } from './listening.ts'
import type { HostPlan } from './scenario.ts'

const better = '10.0.0.3' as Ip
const lower = '10.0.0.2' as Ip
const second = 1_000_000

const plan = (more: Partial<HostPlan> = {}): HostPlan => ({
  number: 1,
  source: '10.0.0.1' as Ip,
  clockRate: 1,
  clockOffset: 0,
  nopreempt: false,
  preemptDelayS: 0,
  weight: 0,
  priority: 150,
  warden: true,
  file: plainFile(3 * second),
  drained: false,
  ...more,
})

/** At ten seconds, when that session is lost. */
function objection(host: HostPlan, lost: Ip): string | null {
  const heard = new Listening(0)
  heard.advert(8 * second, better, 200, [150])
  heard.advert(9 * second, lower, 100, [150])
  heard.caughtUp()
  return heard.objection(10 * second, host, 3 * second, false, (master) => master === lost)
}

test('who takes the adverts of lower masters follows the one that it heard last: its lost session takes over', () => {
  assert.equal(objection(plan({ preemptDelayS: 60 }), lower), null)
  assert.equal(objection(plan({ nopreempt: true }), lower), null)
})

test('who does not take them follows the better master', () => {
  assert.match(objection(plan(), lower) ?? '', /took over 2000000 µs after/)
})
