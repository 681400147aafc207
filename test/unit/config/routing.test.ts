/** The grammar of routes and rules: what lines mean, and what keepalived's check says of malformed ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, instanceText, only } from './reading.ts'

const machine = {
  files: {
    '/etc/iproute2/rt_tables': {
      text: '# reserved\n255\tlocal\n300 service # ours\n',
      mode: 0o644,
    },
    '/etc/iproute2/rt_tables.d/more.conf': { text: '0x1f4 hexed\n', mode: 0o644 },
  },
}

function instance(block: 'virtual_routes' | 'virtual_rules', line: string) {
  const report = check(instanceText(`${block} {\n ${line}\n }`), machine)
  const { config, exit } = report
  const [one] = config?.instances ?? []
  const codes = report.diagnostics.filter((d) => d.severity !== 'note').map((d) => d.code)
  return { route: one?.routes[0], rule: one?.rules[0], codes, exit }
}

const route = (line: string) => instance('virtual_routes', line)
const rule = (line: string) => instance('virtual_rules', line)

/** Exit statuses of `keepalived -t` 2.2.7 with the same line. */
test('malformed lines: the exit status is that of keepalived', () => {
  const table: readonly (readonly [
    'virtual_routes' | 'virtual_rules',
    string,
    number,
    string | null,
  ])[] = [
    ['virtual_routes', '192.0.2.0/24 via 10.0.0.3 dev eth0', 0, null],
    ['virtual_routes', '192.0.2.0/24 bogus dev eth0', 5, 'unknown-word'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 weight 3', 5, 'unknown-word'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 protocol static', 5, 'route'],
    ['virtual_routes', '192.0.2.0/24 gw 10.0.0.3 dev eth0', 5, 'deprecated'],
    ['virtual_routes', '192.0.2.0/24 via 10.0.0.3', 5, 'route'],
    ['virtual_routes', '192.0.2.0/24 via 10.0.0.3 no_track', 0, null],
    ['virtual_routes', '192.0.2.0/24 dev eth0 rtt 1.5.2', 5, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 rto_min 100ms', 0, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 rttvar 400s', 0, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 rttvar 481s', 5, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 rto_min 200s', 5, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 rtt 1000000', 5, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 rtt 0.1', 5, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 as to 10.0.0.3', 5, 'route'],
    ['virtual_routes', '192.0.2.0/33 dev eth0', 5, 'bad-number'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 metric', 2, 'missing-operand'],
    ['virtual_routes', 'default6 via fd09::3 dev eth0', 0, null],
    ['virtual_routes', '192.0.2.0/24 dev eth0 encap ip id 5', 0, null],
    ['virtual_routes', '192.0.2.0/24 dev eth0 table nosuch', 5, 'bad-name'],
    ['virtual_routes', '192.0.2.0/24 dev eth0 vrf red', 5, 'no-interface'],
    ['virtual_routes', '192.0.2.0/24 via fd09::3 dev eth0', 5, 'mixed-families'],
    ['virtual_routes', '192.0.2.0/24 nexthop via 10.0.0.3 dev eth0 weight 0', 5, 'bad-number'],
    ['virtual_rules', 'from 10.0.0.1 table 100', 5, 'rule'],
    ['virtual_rules', 'from 10.0.0.1 priority 5', 5, 'rule'],
    ['virtual_rules', 'from 10.0.0.1 table 0 priority 5', 5, 'bad-number'],
    ['virtual_rules', 'from 10.0.0.1 to fd09::1 table 100 priority 5', 5, 'mixed-families'],
    ['virtual_rules', 'from 10.0.0.1 uidrange 5 table 100 priority 5', 5, 'bad-number'],
    ['virtual_rules', 'from 10.0.0.1 goto 4 priority 5', 5, 'rule'],
    ['virtual_rules', 'from 10.0.0.1 bogus table 100 priority 5', 5, 'unknown-word'],
    ['virtual_rules', 'from 10.0.0.1 table 100 priority', 2, 'missing-operand'],
  ]
  for (const [block, line, exit, code] of table) {
    const found = instance(block, line)
    assert.equal(found.exit, exit, line)
    if (code === null) assert.deepEqual(found.codes, [], line)
    else assert.ok(found.codes.includes(code), `${line}: ${found.codes.join()}`)
  }
})

test('names of iproute2, and of its directories of more', () => {
  assert.equal(route('192.0.2.0/24 dev eth0 table service').route?.table, 300)
  assert.equal(route('192.0.2.0/24 dev eth0 table hexed').route?.table, 500)
  assert.equal(route('192.0.2.0/24 dev eth0 table main').route?.table, 254)
  assert.equal(route('192.0.2.0/24 dev eth0 scope link').route?.scope, 253)
  assert.equal(route('192.0.2.0/24 dev eth0 protocol bird no_track').route?.protocol, 12)
})

test('words in any order; the last destination counts', () => {
  const { route: it } = route(
    'metric 0x10 src 10.0.0.1 advmss lock 1300 192.0.2.0/24 to blackhole 192.0.4.9/24 rto_min lock 1s dev eth0 congctl lock cubic',
  )
  assert.deepEqual(it?.destination, { address: '192.0.4.0', length: 24 })
  assert.deepEqual([it.type, it.metric, it.source], [6, 16, '10.0.0.1'])
  assert.deepEqual(it.metrics, [
    { number: 16, value: 'cubic' },
    { number: 8, value: 1300 },
    { number: 13, value: 1000 },
  ])
  assert.equal(it.locked, (1 << 8) | (1 << 13) | (1 << 16))
})

test('what keepalived reads wrongly is read as written', () => {
  const six = route('inet6 default via fd09::3 dev eth0').route
  assert.deepEqual([six?.family, six?.destination], [6, { address: '::', length: 0 }])
  const [hop] =
    route('192.0.2.0/24 nexthop via 10.0.0.3 dev eth0 encap ip dst 10.9.0.3 ttl 9').route
      ?.nextHops ?? []
  assert.equal(hop?.encap?.kind, 'ip')
  assert.deepEqual(
    rule('to 10.0.0.0/8 dport 80 ipproto 200 table 9 priority 5').rule?.destinationPorts,
    {
      from: 80,
      to: 80,
    },
  )
  assert.equal(rule('inet6 fwmark 3 table 9 priority 5').rule?.family, 6)
  assert.ok(route('192.0.2.0/24 via 10.0.0.3 nexthop via 10.0.0.4').codes.includes('route'))
})

test('rules without a preference are numbered downwards, each family by itself', () => {
  const lines = ['from 10.0.0.1 table 1', 'from fd09::1 table 1', 'from 10.0.0.2 table 1']
  const { rules } = only(check(instanceText(`virtual_rules {\n ${lines.join('\n ')}\n }`), machine))
  assert.deepEqual(
    rules.map((it) => it.preference),
    [16_384, 16_384, 16_383],
  )
})

/** The values that keepalived 2.2.7 gives the kernel, read back with `ip -d route`. */
test('times of a route are brought into 200 ms..120 s', () => {
  const table: readonly (readonly [string, number])[] = [
    ['rto_min 100ms', 200],
    ['rto_min 100', 200],
    ['rto_min 0.1s', 200],
    ['rto_min 1s', 1000],
    ['rtt 100', 1600],
    ['rtt 200ms', 1600],
    ['rtt 121s', 960_000],
    ['rttvar 0', 800],
    ['rttvar 60s', 240_000],
    ['rttvar 400s', 480_000],
    ['rttvar 400000', 400_000],
  ]
  for (const [words, value] of table)
    assert.deepEqual(
      [words, route(`192.0.2.0/24 dev eth0 ${words}`).route?.metrics[0]?.value],
      [words, value],
    )
})
