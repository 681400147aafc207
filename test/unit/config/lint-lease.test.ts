import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText } from './reading.ts'

const leased = (mode: string) => `global_defs {\n vipd_kernel_lease ${mode}\n}\n`
const bfd = (multiplier: number) =>
  `bfd_instance b {\n neighbor_ip 10.0.0.2\n multiplier ${multiplier}\n min_tx 50\n min_rx 30\n}\n`
const quick = 'track_bfd {\n b takeover\n }'

/** Codes about leases, notes too. */
function said(text: string): readonly string[] {
  const report = check(text)
  assert(report.config !== null, report.text)
  return report.diagnostics.flatMap(({ code, message }) =>
    code.startsWith('lease-') ? [`${code}: ${message}`] : [],
  )
}

test('another number of adverts than the default, with a lease', () => {
  const of = (mode: string, lines: string) => said(leased(mode) + instanceText(lines))
  assert.deepEqual(of('on', 'advert_int 1'), [])
  assert.deepEqual(of('off', 'down_timer_adverts 5'), [])
  assert.deepEqual(of('on', 'priority 255\n down_timer_adverts 5'), [], 'an owner has no lease')
  const [more] = of('on', 'advert_int 1\n down_timer_adverts 5')
  assert.match(more ?? '', /^lease-adverts: .* here lasts 5 s, and a peer that waits for 3/)
  const [fewer] = of('auto', 'advert_int 1\n down_timer_adverts 2')
  assert.match(fewer ?? '', /master that counts 3, .* lasts 3 s, and this host takes over/)
})

test('a BFD session that is lost before the lease ends', () => {
  const of = (mode: string, multiplier: number, line = quick, more = '') =>
    said(
      leased(mode) + bfd(multiplier) + instanceText(`advert_int 0.1\n version 3\n ${line}`) + more,
    )
  const [one] = of('on', 3)
  assert.match(
    one ?? '',
    /^lease-bfd: V: bfd\/b is lost after 0\.15 s, .* ends 0\.3 s .* A multiplier of 6/,
  )
  assert.deepEqual(of('on', 6), [])
  assert.deepEqual(of('off', 3), [])
  assert.deepEqual(of('on', 3, 'track_bfd {\n b weight 5\n }'), [], 'it takes nothing over')
  const group = `vrrp_sync_group G {\n group {\n V\n }\n ${quick}\n}\n`
  assert.equal(of('on', 3, '', group).length, 1)
  const report = check(
    leased('on') + bfd(3) + instanceText(`advert_int 0.1\n version 3\n ${quick}`),
  )
  assert.deepEqual(findings(report), ['lease-bfd@16'], 'at the line that tracks it, as a warning')
})
