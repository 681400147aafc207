/** Links that vipd makes, against a kernel that is a table: what is asked of it, and what becomes of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { macOctets } from '../../../src/base/mac.ts'
import type { VirtualLink } from '../../../src/base/virtual-link.ts'
import type { KernelLink } from '../../../src/kernel/link-table.ts'
import type { OwnedLink } from '../../../src/kernel/marks.ts'
import { VirtualLinks } from '../../../src/kernel/virtual-links.ts'
import { splitMessages } from '../../../src/wire/netlink.ts'
import { link } from '../router/facts.ts'

const wish: VirtualLink = {
  kind: 'macvlan',
  name: 'vrrp.51',
  base: 'eth0',
  mac: '00:00:5e:00:01:33',
  ipv6: false,
  group: null,
}
const shape = {
  kind: 'macvlan',
  below: 2,
  mac: macOctets(wish.mac),
  macvlanMode: 4,
  alias: 'vipd',
  on: false,
}

/** Each request as a word; what the kernel does with it is `answer`'s. */
function stage(links: KernelLink[]) {
  const asked: string[] = []
  const lines: string[] = []
  const recorded: (readonly OwnedLink[])[] = []
  const changed: string[] = []
  const contested: string[] = []
  const say = (line: string) => void lines.push(line)
  let next = 10
  let refusal: OpError | null = null
  /** What the kernel notifies none of, as the link is down. */
  const unheard: (() => void)[] = []
  const request = async (bytes: Uint8Array): Promise<void> => {
    const [message] = splitMessages(bytes).messages
    assert(message !== undefined)
    const ifindex = new DataView(message.body.buffer, message.body.byteOffset).getInt32(4, true)
    await Promise.resolve()
    if (message.type === 17) {
      asked.push(`delete ${ifindex}`)
      const at = links.findIndex((it) => it.ifindex === ifindex)
      if (at < 0) throw new OpError('RTM_DELLINK', 'ENODEV')
      links.splice(at, 1)
    } else if (ifindex !== 0) {
      asked.push(`alter ${ifindex}`)
      const at = links.findIndex((it) => it.ifindex === ifindex)
      const altered = links[at]
      unheard.push(() => {
        if (altered !== undefined) links[at] = { ...altered, alias: 'vipd' }
      })
    } else {
      asked.push('make')
      if (refusal !== null) throw refusal
      links.push(link(next, wish.name, { ...shape, alias: null }))
      next += 1
    }
  }
  /** What setting IPv6 fails with, one after the other; then it does not. */
  const ipv6: { refusals: string[] } = { refusals: [] }
  const made = new VirtualLinks({
    kernel: {
      linkByName: (name) => links.find((it) => it.name === name) ?? null,
      linkNames: [],
      linkByIndex: (ifindex) => links.find((it) => it.ifindex === ifindex) ?? null,
      forwardsIpv6: () => false,
      addressesOn: () => [],
      settingsOf: () => null,
    },
    log: { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() },
    request,
    read: async (ifindex) => {
      await Promise.resolve()
      if (!links.some((it) => it.ifindex === ifindex)) throw new OpError('RTM_GETLINK', 'ENODEV')
      for (const seen of unheard.splice(0)) seen()
    },
    record: (objects) => {
      recorded.push(objects)
      return Promise.resolve()
    },
    setIpv6: (name, settings) => {
      asked.push(`${name} ${JSON.stringify(settings)}`)
      return Promise.resolve(ipv6.refusals.shift() ?? null)
    },
    onChange: (names) => changed.push(...names),
    onContested: (name) => contested.push(name),
  })
  const refuse = (why: OpError | null) => {
    refusal = why
  }
  return { made, links, asked, lines, recorded, changed, contested, refuse, ipv6 }
}

const settled = (made: VirtualLinks) => made.settled(5_000)

test('a link is recorded, made and configured, and then ready', async () => {
  const { made, asked, recorded, changed } = stage([link(2, 'eth0')])
  made.want([wish])
  assert.equal(made.stateOf('vrrp.51'), 'coming')
  await settled(made)
  assert.equal(made.stateOf('vrrp.51'), 'ready')
  assert.deepEqual(asked, [
    'make',
    'alter 10',
    'alter 10',
    'alter 10',
    'vrrp.51 {"disable_ipv6":1}',
  ])
  assert.deepEqual(
    recorded[0]?.map(({ name, base, mac }) => [name, base, mac]),
    [['vrrp.51', 'eth0', wish.mac]],
  )
  assert.deepEqual(changed, ['vrrp.51'])
  assert.equal(made.isOwn('vrrp.51'), true)
  assert.equal(made.isOwn('eth0'), false)
})

test('IPv6 settings that could not be set keep no link from its use, are said once, and tried again', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { made, asked, lines, ipv6 } = stage([link(2, 'eth0')])
  ipv6.refusals = ['late', 'late']
  made.want([wish])
  const turn = () => new Promise((turned) => setImmediate(turned))
  while (made.stateOf('vrrp.51') !== 'ready') await turn()
  const ofIpv6 = () => asked.filter((it) => it.startsWith('vrrp.51 ')).length
  assert.deepEqual([ofIpv6(), made.warnings.length], [1, 1])
  context.mock.timers.tick(1_000)
  await turn()
  assert.deepEqual([ofIpv6(), made.warnings.length], [2, 1])
  context.mock.timers.tick(1_000)
  await turn()
  assert.equal(ofIpv6(), 2, 'ever later')
  context.mock.timers.tick(1_000)
  await turn()
  assert.deepEqual([ofIpv6(), made.warnings.length], [3, 0])
  assert.equal(lines.filter((it) => /cannot be set: late/.test(it)).length, 1)
  context.mock.timers.tick(100_000)
  assert.equal(ofIpv6(), 3)
})

test('it waits for its interface', async () => {
  const { made, links, asked } = stage([])
  made.want([wish])
  await settled(made)
  assert.deepEqual([made.stateOf('vrrp.51'), asked.length], ['coming', 0])
  links.push(link(2, 'eth0'))
  made.look()
  await settled(made)
  assert.equal(made.stateOf('vrrp.51'), 'ready')
})

test('one that an earlier daemon left is adopted, not made anew; one of another shape is', async () => {
  const owned: OwnedLink = { ...wish, kind: 'link', linkKind: 'macvlan' }
  const adopting = stage([link(2, 'eth0'), link(7, 'vrrp.51', shape)])
  adopting.made.inherit([{ owned, ifindex: 7 }])
  adopting.made.want([wish])
  await settled(adopting.made)
  assert.equal(adopting.made.stateOf('vrrp.51'), 'ready')
  assert.ok(!adopting.asked.includes('make') && !adopting.asked.includes('delete 7'))
  const other = stage([link(2, 'eth0'), link(7, 'vrrp.51', { ...shape, below: 3 })])
  other.made.inherit([{ owned, ifindex: 7 }])
  other.made.want([wish])
  await settled(other.made)
  assert.deepEqual(other.asked.slice(0, 2), ['delete 7', 'make'])
})

test('a name that is another program’s is refused, until it is free', async () => {
  for (const foreign of [{ kind: 'veth' }, { ...shape, alias: null }]) {
    const { made, links, asked, lines } = stage([link(2, 'eth0'), link(7, 'vrrp.51', foreign)])
    made.want([wish])
    await settled(made)
    assert.deepEqual([made.stateOf('vrrp.51'), asked], ['refused', []])
    assert.match(lines[0] ?? '', /vrrp\.51 cannot be used: the name is taken by a/)
    assert.equal(made.warnings.length, 1)
    links.pop()
    made.look()
    await settled(made)
    assert.deepEqual([made.stateOf('vrrp.51'), made.warnings], ['ready', []])
  }
})

test('one that is removed is made again at once, but not for ever', async () => {
  const { made, links, asked, lines } = stage([link(2, 'eth0')])
  made.want([wish])
  await settled(made)
  const makes = () => asked.filter((it) => it === 'make').length
  for (let i = 0; i < 9; i++) {
    links.pop()
    made.look()
    await settled(made)
    assert.equal(makes(), i + 2)
  }
  assert.ok(lines.includes('vrrp.51 was removed by another program: made again'))
  links.pop()
  made.look()
  assert.equal(makes(), 10, 'a program that insists makes it wait')
  await made.close(10)
})

test('what another program alters is set again at once, and after ever longer waits when it insists', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  context.mock.method(performance, 'now', () => nowMs)
  const { made, links, asked, contested, lines } = stage([link(2, 'eth0')])
  const turn = () => new Promise((turned) => setImmediate(turned))
  made.want([wish])
  for (let i = 0; i < 20; i++) await turn()
  assert.equal(made.stateOf('vrrp.51'), 'ready')
  const sets = () => asked.filter((it) => it === 'alter 10').length / 3
  const first = sets()
  const alter = async () => {
    const at = links.findIndex(({ name }) => name === 'vrrp.51')
    links.splice(at, 1, link(10, 'vrrp.51', { ...shape, alias: 'another' }))
    made.look()
    for (let i = 0; i < 20; i++) await turn()
  }
  for (let i = 0; i < 9; i++) await alter()
  assert.equal(sets() - first, 9)
  assert.deepEqual([contested, made.warnings], [[], []])
  for (const [times, waitMs] of [1_000, 2_000, 4_000].entries()) {
    await alter()
    assert.equal(sets() - first, 9 + times, 'it waits')
    nowMs += waitMs
    context.mock.timers.tick(waitMs - 1)
    for (let i = 0; i < 20; i++) await turn()
    assert.equal(sets() - first, 9 + times)
    context.mock.timers.tick(1)
    for (let i = 0; i < 20; i++) await turn()
    assert.equal(sets() - first, 10 + times)
  }
  assert.deepEqual(contested, ['vrrp.51'])
  assert.match(
    made.warnings[0] ?? '',
    /^vrrp\.51: another program alters it \(alias\) again and again/,
  )
  assert.equal(lines.filter((it) => /again and again/.test(it)).length, 1)
  // Left alone for long enough, it is another story.
  nowMs += 70_000
  assert.deepEqual(made.warnings, [])
  await alter()
  assert.equal(sets() - first, 13)
})

test('a link that is down, of which the kernel notifies nothing, is set once', async () => {
  const { made, links, asked, contested } = stage([link(2, 'eth0')])
  made.want([wish])
  await settled(made)
  const sets = () => asked.filter((what) => what === 'alter 10').length
  assert.equal(sets(), 3)
  for (let i = 0; i < 20; i++) {
    made.look()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(sets(), 3)
  assert.deepEqual(contested, [])
  links[1] = link(10, wish.name, { ...shape, alias: 'another' })
  made.look()
  // What another program alters is set again at once.
  while (sets() < 6) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(contested, [])
  await made.close(10)
})

test('a link that the kernel does not let be as it must be is not asked for without end', async () => {
  const { made, links, asked, contested } = stage([link(2, 'eth0')])
  made.want([wish])
  await settled(made)
  links.splice(1, 1, link(10, 'vrrp.51', { ...shape, macvlanMode: 1 }))
  made.look()
  while (contested.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(asked.length < 60, `${asked.length}`)
  await made.close(10)
})

test('what the kernel refuses is said once and is no link', async () => {
  const { made, lines, changed, refuse } = stage([link(2, 'eth0')])
  refuse(new OpError('RTM_NEWLINK', 'EOPNOTSUPP', 'Unknown device type'))
  made.want([wish])
  await settled(made)
  assert.equal(made.stateOf('vrrp.51'), 'refused')
  assert.deepEqual(changed, ['vrrp.51'])
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /EOPNOTSUPP.*Unknown device type/)
  await made.close(10)
})

test('what nothing needs is deleted, by a reload and at the stop, and nothing else', async () => {
  const { made, links, asked } = stage([
    link(2, 'eth0'),
    link(3, 'other', { ...shape, alias: null }),
  ])
  made.want([wish])
  await settled(made)
  made.want([])
  await settled(made)
  assert.ok(asked.includes('delete 10'))
  made.want([wish])
  await settled(made)
  await made.close(1_000)
  assert.deepEqual(
    links.map(({ name }) => name),
    ['eth0', 'other'],
  )
  assert.equal(made.stateOf('eth0'), 'refused')
})

test('it follows its interface: MTU, VRF, and its alias is its mark', async () => {
  const { made, links, asked } = stage([link(2, 'eth0'), link(4, 'red', { kind: 'vrf' })])
  made.want([wish])
  await settled(made)
  const alterations = () => asked.filter((it) => it.startsWith('alter')).length
  const steady = alterations()
  links.splice(2, 1, link(10, 'vrrp.51', shape))
  made.look()
  await settled(made)
  assert.equal(alterations(), steady)
  links.splice(0, 1, link(2, 'eth0', { master: 4 }))
  made.look()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(alterations() > steady)
  await made.close(1_000)
})
