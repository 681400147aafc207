/** static_ipaddress, static_routes, static_rules and track_group: exit statuses of `keepalived -t` 2.2.7, and what is meant. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepRuleNumbers } from '../../../src/config/rule-numbers.ts'
import { check, instanceText } from './reading.ts'

const group = 'track_group TG {\n group {\n  V\n }\n}\n'
const block = (name: string, ...lines: readonly string[]): string =>
  `${name} {\n ${lines.join('\n ')}\n}\n`
const addresses = (...lines: readonly string[]) => block('static_ipaddress', ...lines)
const routes = (...lines: readonly string[]) => block('static_routes', ...lines)
const rules = (...lines: readonly string[]) => block('static_rules', ...lines)

function read(before: string, after = '') {
  const report = check(`${before}${instanceText()}${after}`)
  const codes = report.diagnostics.filter((d) => d.severity !== 'note').map((d) => d.code)
  const { config, exit } = report
  return { exit, codes, statics: config?.statics, tracked: config?.instances[0]?.staticInterfaces }
}

const one = '10.50.0.1/24 dev eth1'

test('the exit status of each mistake is that of keepalived', () => {
  const table: readonly (readonly [string, number, ...string[]])[] = [
    [group, 0],
    ['track_group {\n group {\n  V\n }\n}\n', 5, 'missing-operand'],
    [group + group, 5, 'duplicate'],
    ['track_group TG {\n group {\n }\n}\n', 5, 'empty-group'],
    ['track_group TG {\n}\n', 0, 'empty-group'],
    ['track_group TG {\n group {\n  V_9\n }\n}\n', 0, 'unknown-instance'],
    ['track_group TG {\n group {\n  V\n }\n bogus 3\n}\n', 5, 'unknown-keyword'],
    [addresses(one), 0],
    [group + addresses(`${one} track_group TG`), 0],
    [addresses(`${one} track_group TG`) + group, 5, 'unknown-group'],
    [addresses(`${one} track_group`), 5, 'missing-value'],
    [group + addresses(`${one} no_track track_group TG`), 0, 'track-group'],
    [addresses('10.50.0.1/24'), 0],
    [addresses('10.50.0.1/24 dev nope'), 5, 'no-interface', 'cannot-start'],
    ['global_defs {\n default_interface nope\n}\n', 0],
    [
      `global_defs {\n default_interface nope\n}\n${addresses('10.50.0.1/24')}`,
      4,
      'no-interface',
      'cannot-start',
    ],
    [addresses(one, one), 0, 'duplicate'],
    [addresses('10.0.0.100 dev eth0'), 0, 'duplicate'],
    [routes('192.0.2.0/24 dev eth1'), 0],
    [group + routes('192.0.2.0/24 dev eth1 track_group TG'), 0],
    [routes('192.0.2.0/24 dev eth1 track_group NOPE'), 5, 'unknown-group'],
    [group + routes('192.0.2.0/24 via 10.0.0.9 track_group TG'), 5, 'route', 'track-group'],
    [group + routes('192.0.2.0/24 dev eth1 no_track track_group TG'), 0, 'track-group'],
    [routes('192.0.2.0/24 dev nope'), 5, 'no-interface', 'cannot-start'],
    [group + rules('from 192.0.2.0/24 iif eth1 table 300 priority 5 track_group TG'), 0],
    [group + rules('from 192.0.2.0/24 table 300 priority 5 track_group TG'), 5, 'track-group'],
  ]
  for (const [text, exit, ...codes] of table) {
    const found = read(text)
    assert.deepEqual([text, found.exit, found.codes], [text, exit, codes])
  }
})

test('what is left of them: the usual interface, the group, nothing that moves', () => {
  const usual = 'global_defs {\n default_interface eth1\n}\n'
  const { statics } = read(usual + addresses('10.50.0.1/24', '10.0.0.100 dev eth0', one))
  assert.deepEqual(
    statics?.addresses.map((it) => [it.address, it.interface, it.text]),
    [['10.50.0.1', 'eth1', '10.50.0.1/24']],
  )
  const unknown = read(routes('192.0.2.0/24 dev eth1 track_group NOPE')).statics
  assert.deepEqual(
    unknown?.routes.map((it) => it.trackGroup),
    [null],
  )
})

test('the members of a group are in FAULT with the interfaces of its entries', () => {
  const mine = `${one} track_group TG`
  assert.deepEqual(read(group + addresses(mine)).tracked, ['eth1'])
  assert.deepEqual(read(group + addresses(one)).tracked, [])
  const all = addresses(mine) + rules('iif lo table 300 priority 5 track_group TG')
  assert.deepEqual(read(group + all).tracked, ['eth1', 'lo'])
})

test('rules without a preference keep their numbers over a reload', () => {
  const of = (...lines: readonly string[]) => {
    const { config } = check(rules(...lines) + instanceText())
    assert.ok(config !== null)
    return config
  }
  const [a, b, c] = ['from 192.0.2.0/24 table 5', 'from 192.0.3.0/24 table 5', 'from ::1 table 5']
  const before = of(a, b, c)
  const numbers = (config: typeof before) =>
    config.statics.rules.map((it) => [it.text, it.preference])
  const expected = [
    [a, 16_384],
    [b, 16_383],
    [c, 16_384],
  ]
  assert.deepEqual(numbers(before), expected)
  const above = 'from 192.0.1.0/24 table 5'
  const next = of(above, a, b, c)
  assert.deepEqual(numbers(next)[1], [a, 16_383], 'as the file alone has it')
  const kept = keepRuleNumbers(before, next)
  assert.deepEqual(numbers(kept), [[above, 16_382], ...expected])
  // What is gone leaves its number to others, and a written one stays.
  const less = keepRuleNumbers(kept, of(b, `${above} priority 16384`, 'from 192.0.4.0/24 table 5'))
  assert.deepEqual(numbers(less), [
    [b, 16_383],
    [`${above} priority 16384`, 16_384],
    ['from 192.0.4.0/24 table 5', 16_382],
  ])
})
