/** Paths of objects, where a bus is, what an object says of itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusInstance } from '../../../src/report/status.ts'
import { socketsOf } from '../../../src/surfaces/dbus/bus-address.ts'
import { instance, standard } from '../../../src/surfaces/dbus/interfaces.ts'
import { introspectionXml } from '../../../src/surfaces/dbus/introspection.ts'
import { Objects } from '../../../src/surfaces/dbus/objects.ts'
import { parseSignature } from '../../../src/wire/dbus-types.ts'
import { aStatus } from '../cli/a-status.ts'

const config = { address: '', name: '', noInterface: 'no-if', within: [] }

function named(name: string, on: string | null, vrid = 51, family: 4 | 6 = 4): StatusInstance {
  const [first] = aStatus.instances
  assert.ok(first !== undefined)
  return { ...first, name, interface: on, vrid, family, state: 'BACKUP' }
}

const pathsOf = (objects: Objects) => objects.instances.map(({ path }) => path)

test('a path has what a path may have, the interface or its substitute, and what tells daemons apart', () => {
  const instances = [named('a', 'eth0.10'), named('b', null, 7, 6), named('c', 'bond-ü', 1)]
  assert.deepEqual(pathsOf(new Objects(instances, config)), [
    '/org/keepalived/Vrrp1/Instance/eth0_10/51/IPv4',
    '/org/keepalived/Vrrp1/Instance/no_if/7/IPv6',
    '/org/keepalived/Vrrp1/Instance/bond__/1/IPv4',
  ])
  const within = { ...config, within: ['blue', 'lb-1'] }
  const objects = new Objects([named('a', 'eth0')], within)
  assert.deepEqual(pathsOf(objects), ['/org/keepalived/Vrrp1/blue/lb_1/Instance/eth0/51/IPv4'])
  assert.equal(objects.vrrpPath, '/org/keepalived/Vrrp1/blue/lb_1/Vrrp')
})

test('of two instances with one path the first has it', () => {
  const objects = new Objects([named('a', 'eth0.1'), named('b', 'eth0_1')], config)
  assert.deepEqual(objects.hidden, ['b'])
  assert.equal(objects.at('/org/keepalived/Vrrp1/Instance/eth0_1/51/IPv4')?.name, 'a')
})

test('what is below a path: each once, nothing below an object, null where nothing is', () => {
  const objects = new Objects([named('a', 'eth0'), named('b', 'eth0', 52)], config)
  assert.deepEqual(objects.below('/'), ['org'])
  assert.deepEqual(objects.below('/org/keepalived/Vrrp1'), ['Vrrp', 'Instance'])
  assert.deepEqual(objects.below('/org/keepalived/Vrrp1/Instance/eth0'), ['51', '52'])
  assert.deepEqual(objects.below('/org/keepalived/Vrrp1/Instance/eth0/51/IPv4'), [])
  assert.deepEqual(objects.below(objects.vrrpPath), [])
  assert.equal(objects.below('/org/keep'), null)
})

test('where a bus is: paths, escaped octets, abstract names, several', () => {
  assert.deepEqual(socketsOf('unix:path=/run/dbus/system_bus_socket'), [
    '/run/dbus/system_bus_socket',
  ])
  assert.deepEqual(socketsOf('unix:guid=12,path=/a%20b'), ['/a b'])
  assert.deepEqual(socketsOf('unix:abstract=/tmp/x,guid=1'), ['\0/tmp/x'])
  assert.deepEqual(socketsOf('tcp:host=a,port=1;unix:path=/b;unix:path=/c'), ['/b', '/c'])
  for (const bad of ['', 'unix:', 'unix:path=', 'unix:tmpdir=/x', 'path=/x', 'unix:path=/%zz'])
    assert.deepEqual(socketsOf(bad), [], bad)
})

test('an object says what it has, in types that are types', () => {
  const xml = introspectionXml([...standard, instance], ['a', 'b'])
  const types = [...xml.matchAll(/type="([^"]*)"/g)].map(([, type]) => type ?? '?')
  assert.ok(types.length > 10)
  for (const type of types) assert.equal(parseSignature(type)?.length, 1, type)
  assert.ok(xml.endsWith('  <node name="a"/>\n  <node name="b"/>\n</node>\n'))
  // As many elements are closed as are opened.
  const count = (tag: RegExp) => [...xml.matchAll(tag)].length
  assert.equal(count(/<[a-z]([^>]*[^/])?>/g), count(/<\/[a-z]+>/g))
})
