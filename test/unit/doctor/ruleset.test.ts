/** What becomes of an advert in rulesets that nft has printed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fatesOf } from '../../../src/doctor/ruleset.ts'
import type { Packet } from '../../../src/doctor/ruleset-match.ts'

const advert: Packet = {
  family: 4,
  protocol: { name: 'vrrp', number: 112 },
  hook: 'input',
  interface: 'eth0',
  destination: '224.0.0.18',
  source: null,
  port: null,
}

const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } })
const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } })
const meta = (key: string) => ({ meta: { key } })
const accept = { accept: null }
const drop = { drop: null }
type Statements = readonly unknown[]

const base = (policy: string, family = 'inet') => ({
  chain: { family, table: 'f', name: 'in', hook: 'input', policy },
})
const rule = (expr: Statements, chain = 'in') => ({
  rule: { family: 'inet', table: 'f', chain, expr },
})
const judged = (items: Statements, packet = advert): string =>
  fatesOf(items, packet)
    .map(({ sure }) => (sure ? 'drops' : 'may drop'))
    .join() || 'passes'

const protocol = match(field('ip', 'protocol'), 'vrrp')
const limit = { limit: { rate: 5, per: 'second' } }

/** Rules of a chain whose policy is drop; what becomes of the advert. */
const rows: readonly (readonly [string, readonly Statements[], string])[] = [
  ['no rule', [], 'drops'],
  ['its protocol by name', [[protocol, accept]], 'passes'],
  ['its protocol by number', [[match(meta('l4proto'), 112), accept]], 'passes'],
  ['a set of protocols', [[match(meta('l4proto'), { set: ['tcp', 'vrrp'] }), accept]], 'passes'],
  ['a set without it', [[match(meta('l4proto'), { set: ['tcp', 'udp'] }), accept]], 'drops'],
  ['all but TCP', [[match(meta('l4proto'), 'tcp', '!='), accept]], 'passes'],
  ['its group', [[match(field('ip', 'daddr'), '224.0.0.18'), accept]], 'passes'],
  [
    'a network of groups',
    [[match(field('ip', 'daddr'), { prefix: { addr: '224.0.0.0', len: 4 } }), accept]],
    'passes',
  ],
  ['its interface', [[match(meta('iifname'), 'eth*'), accept]], 'passes'],
  ['another interface', [[match(meta('iifname'), 'lo'), accept]], 'drops'],
  [
    'established flows: no advert is one',
    [[match({ ct: { key: 'state' } }, { set: ['established', 'related'] }), accept]],
    'drops',
  ],
  ['a port of TCP', [[match(field('tcp', 'dport'), 22), accept]], 'drops'],
  ['a set of sources', [[match(field('ip', 'saddr'), '@known'), accept]], 'may drop'],
  [
    'its protocol from a set of sources',
    [[protocol, match(field('ip', 'saddr'), '@k'), accept]],
    'passes',
  ],
  ['its protocol, as long as it is not much', [[protocol, limit, accept]], 'passes'],
  ['a limit for all', [[limit, accept]], 'may drop'],
  ['counted and logged only', [[{ counter: {} }, { log: null }]], 'drops'],
  ['dropped before it is accepted', [[protocol, drop], [accept]], 'drops'],
  ['accepted before it is dropped', [[protocol, accept], [drop]], 'passes'],
  ['a map of verdicts', [[{ vmap: { key: meta('l4proto'), data: '@v' } }]], 'may drop'],
  ['a chain that is not there', [[{ jump: { target: 'gone' } }]], 'may drop'],
]

for (const [name, rules, fate] of rows)
  test(`ruleset: ${name}: ${fate}`, () =>
    assert.equal(judged([base('drop'), ...rules.map((it) => rule(it))]), fate))

test('ruleset: chains that are called, and that call themselves', () => {
  const called = { chain: { family: 'inet', table: 'f', name: 'other' } }
  const jump = rule([{ jump: { target: 'other' } }])
  const there = [base('drop'), called, jump]
  assert.equal(judged([...there, rule([protocol, accept], 'other')]), 'passes')
  assert.equal(judged([...there, rule([match(meta('l4proto'), 'tcp'), accept], 'other')]), 'drops')
  assert.equal(judged([...there, rule([{ return: null }], 'other'), rule([accept])]), 'passes')
  assert.equal(judged([...there, rule([{ jump: { target: 'other' } }], 'other')]), 'may drop')
})

test('ruleset: the policy, families, hooks and several chains', () => {
  assert.equal(judged([base('accept')]), 'passes')
  assert.equal(judged([base('accept'), rule([protocol, drop])]), 'drops')
  assert.equal(judged([base('drop', 'ip6')]), 'passes')
  assert.equal(judged([base('drop')], { ...advert, hook: 'output' }), 'passes')
  assert.equal(judged([base('accept'), base('drop')]), 'drops')
  assert.equal(judged([]), 'passes')
  const bfd: Packet = { ...advert, protocol: { name: 'udp', number: 17 }, port: 3784 }
  const ports = match(field('udp', 'dport'), { range: [3784, 3785] })
  assert.equal(judged([base('drop'), rule([ports, accept])], bfd), 'passes')
  assert.equal(judged([base('drop'), rule([ports, accept])], { ...bfd, port: 4784 }), 'drops')
})

test('ruleset: what is not of the expected form is left open, not a crash', () => {
  for (const odd of [null, 3, 'x', [], { rule: null }, { chain: 4 }, { rule: { expr: 'no' } }])
    assert.equal(judged([base('drop'), odd]), 'drops')
  for (const expr of [[null], [{ match: 1 }], [{ match: { left: 3, right: {} } }, accept]])
    assert.match(judged([base('drop'), rule(expr as Statements)]), /drops|may drop/)
})
