import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { startDelay } from '../../../src/daemon/start-delay.ts'

const cases = [
  ['neither', 0, 0, 100, null],
  ['after the start alone', 4, 0, 1, [4, 'vrrp_startup_delay']],
  ['what is left since the boot', 0, 60, 20.5, [39.5, 'vrrp_delay_after_boot']],
  ['the boot is long ago', 0, 60, 60, null],
  ['the boot is long ago, and the other counts', 2, 60, 5000, [2, 'vrrp_startup_delay']],
  ['the rest since the boot is longer', 2, 60, 57, [3, 'vrrp_delay_after_boot']],
  ['the rest since the boot is shorter', 5, 60, 57, [5, 'vrrp_startup_delay']],
] as const

for (const [name, start, boot, uptime, wanted] of cases)
  test(`the delay at start: ${name}`, () => {
    const globals = {
      startupDelayUs: us(start * 1_000_000),
      delayAfterBootUs: us(boot * 1_000_000),
    }
    const delay = startDelay(globals, uptime)
    assert.deepEqual(delay === null ? null : [delay.us / 1_000_000, delay.keyword], wanted)
  })
