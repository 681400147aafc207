/** A configuration from text, on a machine that is a table: what the tests of this folder begin with. */
import assert from 'node:assert/strict'
import type { CheckReport } from '../../../src/config/explain/check.ts'
import { checkReport } from '../../../src/config/explain/check.ts'
import type { Instance } from '../../../src/config/types.ts'
import { type FakeMachine, fakeWorld } from './fake-world.ts'

const programs = Object.fromEntries(
  ['/usr/bin/true', '/usr/bin/killall', '/bin/bash', '/etc/x.sh'].map((path) => [
    path,
    { text: '', mode: 0o755 },
  ]),
)

/** `vipd check` of `text`. The machine has eth0, eth1, lo and a few programs unless `machine` says otherwise. */
export function check(text: string, machine: FakeMachine = {}): CheckReport {
  const files = { '/c.conf': text, ...programs, ...machine.files }
  const world = fakeWorld({ ...machine, files })
  return checkReport('/c.conf', world, { configId: null, includeAll: false })
}

/** 'code@line' of every finding that is not a note. */
export const findings = (report: CheckReport): string[] =>
  report.diagnostics
    .filter(({ severity }) => severity !== 'note')
    .map(({ code, place }) => `${code}@${place.line}`)

/** A file of one instance: `lines` beside interface, VRID and one address. */
export const instanceText = (lines = '', address = '10.0.0.100/24'): string =>
  `vrrp_instance V {\n  interface eth0\n  virtual_router_id 51\n  ${lines}\n  virtual_ipaddress {\n    ${address}\n  }\n}\n`

/** The only instance of a file that must be good enough to run. */
export function only(report: CheckReport): Instance {
  assert.ok(report.config !== null, report.text)
  assert.equal(report.config.instances.length, 1, report.text)
  const [instance] = report.config.instances
  assert.ok(instance !== undefined)
  return instance
}
