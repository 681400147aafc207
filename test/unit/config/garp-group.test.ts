/** garp_group: what it means, and what `vipd check` says where keepalived's check says the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText } from './reading.ts'

/** `eth0 eth1: ARP 50000 NA 0`, of the instance on eth0; the codes; the exit status. */
function groups(text: string) {
  const report = check(`${text}\n${instanceText('advert_int 1')}`)
  const found = report.config?.instances[0]?.garpGroups.map(
    (it) => `${it.interfaces.join(' ')}: ARP ${it.arpIntervalUs} NA ${it.naIntervalUs}`,
  )
  const codes = findings(report).map((it) => it.split('@')[0])
  return { found, codes, exit: report.exit }
}

const both = ['eth0 eth1: ARP 50000 NA 20000']
const block = (...lines: string[]) => `garp_group {\n${lines.join('\n')}\n}`

// The exit statuses are those of keepalived 2.2.7, `-t`.
const rows: readonly (readonly [
  string,
  readonly string[] | undefined,
  readonly string[],
  number,
])[] = [
  [
    block('garp_interval 0.05', 'gna_interval 0.02', 'interfaces {', 'eth0', 'eth1', '}'),
    both,
    [],
    0,
  ],
  [block('garp_interval 0.05', 'gna_interval 0.02', 'interfaces {', 'eth0 eth1', '}'), both, [], 0],
  [
    block('garp_interval 0.05', 'gna_interval 0.02', 'interface eth0', 'interface eth1'),
    both,
    [],
    0,
  ],
  [block('garp_interval 0', 'interface eth0'), ['eth0: ARP 0 NA 0'], [], 0],
  [block('garp_interval 0.05', 'interface eth1'), [], [], 0],
  [block('interface eth0'), [], ['missing-value'], 5],
  [block('garp_interval abc', 'interface eth0'), [], ['missing-value', 'bad-number'], 5],
  [block('garp_interval 0.05'), [], ['empty-group'], 0],
  [block('gna_interval 1.5', 'interfaces {', '}'), [], ['empty-group', 'empty-group'], 5],
  [block('garp_interval 0.05', 'interface nope0'), undefined, [], 5],
  [
    `${block('garp_interval 0.05', 'interface eth0')}\n${block('garp_interval 0.07', 'interface eth0')}`,
    ['eth0: ARP 50000 NA 0'],
    ['empty-group', 'duplicate'],
    5,
  ],
]

for (const [text, found, codes, exit] of rows)
  test(text.replaceAll('\n', '; '), () => {
    const is = groups(text)
    assert.equal(is.exit, exit)
    if (found === undefined) return assert.equal(is.found, undefined)
    assert.deepEqual(is, { found, codes, exit })
  })
