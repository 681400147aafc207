/** no_accept: the rules, and the table that stays as it was made. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { acceptRules, noRules } from '../../../src/daemon/accept-rules.ts'
import { Firewall } from '../../../src/daemon/firewall.ts'
import type { Errands } from '../../../src/kernel/errands.ts'
import type { Errand } from '../../../src/kernel/errands-thread.ts'
import { until } from '../../../src/lab/wait.ts'
import { decodeRuleHandles, encodeRuleDump } from '../../../src/wire/nftables.ts'
import { instance, virtualAddress } from '../router/facts.ts'

const usual = { nftablesPriority: -1, nftablesCounters: false }
const guarded = instance({
  accept: false,
  excluded: [
    virtualAddress('2001:db8::100', { prefixLength: 128 }),
    virtualAddress('fe80::100', { prefixLength: 128 }),
    virtualAddress('fe80::100', { prefixLength: 128, interface: 'eth1' }),
    virtualAddress('169.254.7.7'),
  ],
})

test('no_accept rules name the addresses of both families, spare neighbour discovery, and bind link-local ones', () => {
  const { text, count } = acceptRules('vipd_1', [guarded, instance({ name: 'open' })], usual)
  const [input = '', output = ''] = text.split('chain output')
  assert.deepEqual(rulesOf(input), [
    'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
    'ip daddr { 172.16.80.100, 169.254.7.7 } drop',
    'ip6 daddr . iifname { fe80::100 . "eth0", fe80::100 . "eth1" } drop',
    'ip6 daddr { 2001:db8::100 } drop',
  ])
  assert.deepEqual(
    rulesOf(output),
    rulesOf(input).map((it) => it.replace('daddr', 'saddr').replace('iifname', 'oifname')),
  )
  assert.equal(count, 8)
  assert.match(text, /^add table inet vipd_1\ndelete table inet vipd_1\ntable inet vipd_1 \{/)
  const owner = acceptRules('vipd_1', [instance({ accept: false, priority: 255 })], usual)
  assert.deepEqual(owner, noRules('vipd_1'), 'the owner answers')
})

const rulesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((it) => it.trim())
    .filter((it) => /(drop|accept)$/.test(it) && !it.startsWith('type'))

test('nftables_priority and nftables_counters are in the rules; a name that nft cannot take binds nothing', () => {
  const { text } = acceptRules('t', [guarded], { nftablesPriority: -300, nftablesCounters: true })
  assert.equal(text.match(/priority -300; policy accept/g)?.length, 2)
  assert.equal(text.match(/counter (drop|accept)/g)?.length, 8)
  const odd = {
    ...guarded,
    interface: 'eth*',
    addresses: [virtualAddress('fe80::9')],
    excluded: [],
  }
  assert.match(acceptRules('t', [odd], usual).text, /ip6 daddr \{ fe80::9 \} drop/)
})

test('the request for a table’s rules, and its answer, in the kernel’s octets', () => {
  const asked = encodeRuleDump({ family: 'inet', name: 't1' })
  assert.equal(
    Buffer.from(asked).toString('hex'),
    '1c000000070a01030000000000000000' + '01000000' + '0700010074310000',
  )
  const rule = (handle: number) =>
    Buffer.from(
      `30000000060a0200000000000000000001000000070001007431000007000200696e00000c000300000000000000000${handle}`,
      'hex',
    )
  assert.deepEqual(decodeRuleHandles(Buffer.concat([rule(3), rule(7)])), [3n, 7n])
  assert.deepEqual(decodeRuleHandles(new Uint8Array()), [])
  assert.equal(decodeRuleHandles(rule(3).subarray(0, 30)), null)
})

/** A kernel with one table, and nft runs that take effect at once. */
class Host {
  handles: number[] = []
  runs = 0
  heard: () => void = () => undefined
  listening = false
  broken = false
  readonly log: string[] = []
  #last = 0
  readonly firewall: Firewall

  constructor() {
    const say = (text: string) => void this.log.push(text)
    const none = () => undefined
    this.firewall = new Firewall({
      runDir: '/run/vipd',
      log: { debug: none, info: say, warn: say, error: say, flush: async () => undefined },
      errands: { run: (async (errand: Errand) => this.#nft(errand)) as Errands['run'] },
      claim: () => true,
      look: () => ({ rules: this.handles.length, mark: this.handles.join(' ') }),
      news: (onChange) => {
        this.heard = onChange
        return {
          listen: () => {
            this.listening = true
            return null
          },
          close: () => {
            this.listening = false
            return null
          },
        }
      },
    })
  }

  #nft(errand: Errand): string {
    if (errand.kind !== 'nft' || errand.args[0] !== '-f') return ''
    this.runs++
    if (this.broken) throw new OpError('nft', 'ENOENT', 'is nftables installed?')
    this.handles = rulesOf(errand.input).map(() => ++this.#last)
    return ''
  }

  async settles(): Promise<void> {
    await this.firewall.settled(60_000)
  }

  /** `nft flush ruleset` by another program. */
  flush(): void {
    this.handles = []
    this.heard()
  }
}

test('a table that another program removes or changes is put back at once, and when a reload finds it gone', async () => {
  const host = new Host()
  host.firewall.set([guarded], usual)
  await host.settles()
  assert.deepEqual([host.runs, host.handles.length, host.listening], [1, 8, true])
  host.heard()
  await host.settles()
  assert.equal(host.runs, 1, 'what other tables do costs a look')
  host.flush()
  await host.settles()
  assert.deepEqual([host.runs, host.handles.length], [2, 8])
  assert.match(host.log.join(), /another program has removed the nft table vipd_run_\w+: put back/)
  assert.deepEqual(host.firewall.warnings, [])

  const quiet = new Host()
  quiet.firewall.set([guarded], usual)
  await quiet.settles()
  quiet.handles = quiet.handles.slice(1)
  quiet.firewall.set([guarded], usual)
  await quiet.settles()
  assert.deepEqual([quiet.runs, quiet.handles.length], [2, 8])
  assert.match(quiet.log.join(), /has changed the nft table/)
  quiet.firewall.set([], usual)
  await quiet.settles()
  assert.deepEqual([quiet.runs, quiet.handles.length, quiet.listening], [3, 0, false])
  quiet.flush()
  await quiet.settles()
  assert.equal(quiet.runs, 3, 'what is not wanted is not put back')
})

test('a program that removes it again and again: put back ever later, and said in status', async () => {
  const host = new Host()
  host.firewall.set([guarded], usual)
  await host.settles()
  host.flush()
  await host.settles()
  host.flush()
  assert.equal(host.runs, 2, 'not at once')
  assert.match(host.firewall.warnings.join(), /not enforced: .*removed the nft table 2 times/)
  await until('it is back', 60_000, () => host.runs === 3 && host.firewall.warnings.length === 0)
  assert.equal(host.handles.length, 8)
  assert.match(host.log.at(-1) ?? '', /no_accept is enforced/)
})

test('nft that is missing is said once, and not mistaken for another program', async () => {
  const host = new Host()
  host.broken = true
  host.firewall.set([guarded], usual)
  await host.settles()
  host.heard()
  assert.deepEqual(host.firewall.warnings, [
    'no_accept is not enforced: nft: ENOENT (is nftables installed?)',
  ])
  assert.equal(host.log.filter((it) => /not enforced/.test(it)).length, 1)
})
