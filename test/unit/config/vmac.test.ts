/** Virtual MAC addresses: the words, the links that follow from them, and what two instances cannot share. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { macText, parseMac, virtualMac } from '../../../src/base/mac.ts'
import { linkNameError } from '../../../src/config/keywords/vmac.ts'
import type { Config, Instance } from '../../../src/config/types.ts'
import { check, findings, only } from './reading.ts'

type Written = {
  readonly vrid?: number
  readonly lines?: string
  readonly addresses?: readonly string[]
  readonly excluded?: readonly string[]
  readonly on?: string
}

const text = ({ vrid = 51, lines = '', addresses, excluded = [], on = 'eth0' }: Written): string =>
  `vrrp_instance VI_${vrid}_${on} {
  interface ${on}
  virtual_router_id ${vrid}
  ${lines}
  virtual_ipaddress {
    ${(addresses ?? [`10.9.0.${vrid}/24`]).join('\n    ')}
  }
  virtual_ipaddress_excluded {
    ${excluded.join('\n    ')}
  }
}
`

/** Each link as 'name@base mac: addresses'. */
function linksOf(config: Config | null): readonly string[] {
  assert(config !== null)
  const all = ({ addresses, excluded }: Instance) => [...addresses, ...excluded]
  return config.instances.flatMap((instance) =>
    instance.virtualLinks.flatMap((link) => {
      if (link.kind !== 'macvlan') return []
      const { name, base, mac, ipv6 } = link
      const on = all(instance).filter(({ vmac }) => vmac === name)
      return `${name}@${base} ${mac}${ipv6 ? ' IPv6' : ''}: ${on.map(({ address }) => address).join(' ')}`
    }),
  )
}

test('use_vmac: the addresses of the family on the interface, whether dev names it or not', () => {
  const addresses = ['10.9.0.100/24 dev eth0', '10.9.0.101/24', '10.55.0.5/24 dev eth1']
  const excluded = ['fd09::100/64', 'fd09::101/64 dev eth0']
  const plain = check(text({ lines: 'use_vmac', addresses, excluded }))
  assert.deepEqual(linksOf(plain.config), ['vrrp.51@eth0 00:00:5e:00:01:33: 10.9.0.100 10.9.0.101'])
  assert.deepEqual(findings(plain), [])
  const all = check(text({ lines: 'use_vmac\n use_vmac_addr', addresses, excluded }))
  assert.deepEqual(linksOf(all.config), [
    'vrrp.51@eth0 00:00:5e:00:01:33: 10.9.0.100 10.9.0.101',
    'vrrp1.51@eth1 00:00:5e:00:01:33: 10.55.0.5',
    'vrrp6.51@eth0 00:00:5e:00:02:33 IPv6: fd09::100 fd09::101',
  ])
})

test('without use_vmac: use_vmac_addr is for other interfaces, use_vmac on an address for that address', () => {
  const addresses = ['10.9.0.130/24 dev eth0', '10.9.0.131/24', '10.55.0.7/24 dev eth1']
  const others = check(text({ vrid: 53, lines: 'use_vmac_addr', addresses }))
  assert.deepEqual(linksOf(others.config), ['vrrp.53@eth1 00:00:5e:00:01:35: 10.55.0.7'])
  assert.equal(only(others).vmac, null)
  const single = [
    '10.9.0.130/24 dev eth0 use_vmac',
    '10.9.0.131/24',
    '10.55.0.8/24 dev eth1 use_vmac',
  ]
  const written = check(text({ vrid: 54, addresses: single }))
  assert.deepEqual(linksOf(written.config), [
    'vrrp.54@eth0 00:00:5e:00:01:36: 10.9.0.130',
    'vrrp1.54@eth1 00:00:5e:00:01:36: 10.55.0.8',
  ])
})

test('names and MAC addresses of several, as keepalived gives them', () => {
  const globals = 'global_defs {\n vmac_prefix vm\n vmac_addr_prefix va\n}\n'
  const report = check(
    globals +
      text({
        vrid: 52,
        lines: 'use_vmac\n vmac_xmit_base\n use_vmac_addr',
        addresses: ['10.9.0.110/32', '10.55.0.110/24 dev eth1'],
        excluded: ['fd09::110/64'],
      }) +
      text({
        vrid: 53,
        lines: 'use_vmac myvmac 02:aa:bb:cc:dd',
        addresses: ['10.9.0.111/24', '10.55.0.111/24 dev eth1 use_vmac', '10.55.0.112/24 dev eth1'],
      }) +
      text({
        vrid: 54,
        lines: 'use_vmac\n unicast_peer {\n 10.9.0.2\n }',
        addresses: ['10.9.0.113'],
      }),
  )
  assert.deepEqual(linksOf(report.config), [
    'vm.52@eth0 00:00:5e:00:01:34: 10.9.0.110',
    'va.52@eth1 00:00:5e:00:01:34: 10.55.0.110',
    'va6.52@eth0 00:00:5e:00:02:34 IPv6: fd09::110',
    'myvmac@eth0 02:aa:bb:cc:dd:35: 10.9.0.111',
    'va.53@eth1 02:aa:bb:cc:dd:35: 10.55.0.111',
    'vm.54@eth0 00:00:5e:00:01:36: 10.9.0.113',
  ])
  assert.deepEqual(
    report.config?.instances.map(({ vmac }) => vmac?.xmitBase),
    [true, false, true],
  )
  // Unicast forces it, and keepalived calls that an error.
  assert.deepEqual(
    findings(report).map((it) => it.replace(/@.*/, '')),
    ['vmac'],
  )
})

test('an IPv6 instance has its own range; a MAC address that is written carries both families', () => {
  const six = check(text({ vrid: 61, lines: 'use_vmac', addresses: ['fe80::61', 'fd09::100/64'] }))
  assert.deepEqual(linksOf(six.config), ['vrrp.61@eth0 00:00:5e:00:02:3d IPv6: fe80::61 fd09::100'])
  const both = text({
    lines: 'use_vmac 02:00:00:00:99:01\n use_vmac_addr',
    addresses: ['10.9.0.1/24'],
    excluded: ['fd09::1/64'],
  })
  assert.deepEqual(linksOf(check(both).config), [
    'vrrp.51@eth0 02:00:00:00:99:01 IPv6: 10.9.0.1 fd09::1',
  ])
})

const vmacOf = (words: string, machine = {}) => {
  const report = check(text({ lines: `use_vmac ${words}` }), machine)
  const { vmac } = only(report)
  return [vmac?.name, vmac?.mac, vmac?.group, report.exit]
}

test('words of use_vmac, in any order', () => {
  const usual = '00:00:5e:00:01:33'
  const group = { files: { '/etc/iproute2/group': '0 default\n7 seven\n' } }
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ['', ['vrrp.51', usual, null, 0]],
    ['v0', ['v0', usual, null, 0]],
    ['name v0', ['v0', usual, null, 0]],
    ['name name', ['name', usual, null, 0]],
    ['name', ['name', usual, null, 0]],
    ['2:aa:B:cc:dd', ['vrrp.51', '02:aa:0b:cc:dd:33', null, 0]],
    ['02:aa:bb:cc:dd:ee v0', ['v0', '02:aa:bb:cc:dd:ee', null, 0]],
    ['netlink_notify_msg v0 group 7', ['v0', usual, 7, 0]],
    ['group seven', ['vrrp.51', usual, 7, 0]],
    ['group eight', ['vrrp.51', usual, null, 5]],
    ['group 2147483648', ['vrrp.51', usual, null, 5]],
    ['group', ['vrrp.51', usual, null, 5]],
    ['a b', ['a', usual, null, 5]],
    ['sixteen_letters_', ['vrrp.51', usual, null, 5]],
    ['fifteen_letters', ['fifteen_letters', usual, null, 0]],
    ['a/b', ['vrrp.51', usual, null, 5]],
    ['eth0', ['vrrp.51', usual, null, 5]],
    ['01:aa:bb:cc:dd:ee', ['vrrp.51', usual, null, 5]],
    ['00:00:5e:00:01:07', ['vrrp.51', usual, null, 5]],
    ['00:00:5e:00:02', ['vrrp.51', usual, null, 5]],
    ['00:00:00:00:00:00', ['vrrp.51', usual, null, 5]],
  ]
  for (const [words, wanted] of cases) assert.deepEqual(vmacOf(words, group), wanted, words)
})

test('strict mode has the usual MAC address and no vmac_xmit_base', () => {
  const lines = 'strict_mode\n use_vmac 02:aa:bb:cc:dd\n vmac_xmit_base'
  const report = check(text({ lines }))
  const { vmac } = only(report)
  assert.deepEqual([vmac?.mac, vmac?.xmitBase], ['00:00:5e:00:01:33', false])
  assert.equal(findings(report).filter((it) => it.startsWith('strict-mode')).length, 2)
})

test('promote_secondaries beside use_vmac is an error, and ignored', () => {
  const promoting = check(text({ lines: 'promote_secondaries\n use_vmac' }))
  assert.deepEqual(findings(promoting), ['vmac@4'])
  assert.equal(only(promoting).promoteSecondaries, false)
  const plain = check(text({ lines: 'promote_secondaries' }))
  assert.deepEqual([findings(plain), only(plain).promoteSecondaries], [[], true])
})

test('a multicast group beside unicast peers is an error, and ignored', () => {
  const lines = 'mcast_dst_ip 224.0.0.20\n unicast_peer {\n 10.9.0.2\n }'
  assert.deepEqual(findings(check(text({ lines }))), ['unicast-group@4'])
})

test('what needs use_vmac, and what use_vmac needs', () => {
  assert.deepEqual(findings(check(text({ lines: 'vmac_xmit_base' }))), ['no-vmac@4'])
  const without = text({
    lines: 'use_vmac\n unicast_src_ip 10.9.0.1\n unicast_peer {\n 10.9.0.2\n }',
  }).replace('interface eth0', '')
  const report = check(without)
  assert.equal(only(report).vmac, null)
  assert.ok(findings(report).includes('vmac@4'))
})

test('a name belongs to one instance; a MAC address is once on an interface', () => {
  const names = check(
    text({ vrid: 51, lines: 'use_vmac one' }) + text({ vrid: 52, lines: 'use_vmac one' }),
  )
  assert.deepEqual(
    names.config?.instances.map(({ vmac }) => vmac?.name),
    ['one', 'vrrp.52'],
  )
  assert.equal(names.exit, 5)
  const clash = check(
    text({ vrid: 51, lines: 'use_vmac 02:00:00:00:99:01' }) +
      text({ vrid: 52, lines: 'use_vmac 02:00:00:00:99:01' }),
  )
  assert.deepEqual(
    clash.config?.instances.map(({ name }) => name),
    ['VI_51_eth0'],
  )
  assert.match(clash.text, /02:00:00:00:99:01 on eth0 is that of VI_51_eth0/)
  const apart = check(text({ lines: 'use_vmac' }) + text({ lines: 'use_vmac', on: 'eth1' }))
  assert.deepEqual(linksOf(apart.config), [
    'vrrp.51@eth0 00:00:5e:00:01:33: 10.9.0.51',
    'vrrp1.51@eth1 00:00:5e:00:01:33: 10.9.0.51',
  ])
  assert.equal(apart.exit, 0)
})

test('a prefix that makes no name is not used', () => {
  for (const prefix of ['twelve_chars', 'a/b']) {
    const report = check(`global_defs {\n vmac_prefix ${prefix}\n}\n${text({ lines: 'use_vmac' })}`)
    assert.deepEqual(linksOf(report.config), ['vrrp.51@eth0 00:00:5e:00:01:33: 10.9.0.51'])
    assert.deepEqual(findings(report), ['vmac@2'])
  }
})

test('routes, rules and trackers may name the links of the file, and no others', () => {
  const lines = (name: string) => `use_vmac
  track_interface {\n ${name}\n }
  virtual_routes {\n 192.0.2.0/24 dev ${name}\n }`
  assert.equal(check(text({ lines: lines('vrrp.51') })).exit, 0)
  assert.equal(check(text({ lines: lines('other.51') })).config, null)
  assert.equal(check(text({ lines: lines('vrrp.51').replace('use_vmac', '') })).config, null)
})

test('MAC addresses as text', () => {
  assert.equal(virtualMac(4, 51), '00:00:5e:00:01:33')
  assert.equal(virtualMac(6, 255), '00:00:5e:00:02:ff')
  assert.deepEqual(parseMac('0:1:2:a:B:ff', [6]), [0, 1, 2, 10, 11, 255])
  for (const bad of ['', '1:2:3', '1:2:3:4:5:6:7', '1:2:3:4:5:100', '1:2:3:4:5:', 'a-b-c-d-e-f'])
    assert.equal(parseMac(bad, [5, 6]), null, bad)
  assert.equal(macText(Uint8Array.of(0, 0, 0x5e, 0, 1, 0xff)), '00:00:5e:00:01:ff')
  assert.equal(linkNameError('vrrp.51'), null)
  for (const bad of ['', '.', '..', 'a b', 'a:b', 'a%d']) assert.notEqual(linkNameError(bad), null)
})
