/** Which run directory and which pid files belong to which daemon, and which daemon is asked where none is named. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { socketPath } from '../../../src/cli/paths.ts'
import { pidFiles } from '../../../src/cli/pid-file.ts'
import {
  runDirectories,
  runDirectoryOf,
  usualRunDirectory,
} from '../../../src/cli/run-directories.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-dirs-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const plain = { netNamespace: null, instanceName: null, pidDirectory: false }

test('a daemon with net_namespace or instance has a run directory of its own', () => {
  const of = (netNamespace: string | null, instanceName: string | null) =>
    runDirectoryOf({ ...plain, netNamespace, instanceName })
  assert.equal(of(null, null), '/run/vipd')
  assert.equal(of('blue', null), '/run/vipd/netns-blue')
  assert.equal(of(null, 'edge'), '/run/vipd/instance-edge')
  assert.equal(of('blue', 'edge'), '/run/vipd/netns-blue.instance-edge')
})

test('names of any length leave room for the control socket, and stay apart', () => {
  const long = (end: string) =>
    runDirectoryOf({
      ...plain,
      netNamespace: 'ü'.repeat(64),
      instanceName: `${'x'.repeat(60)}${end}`,
    })
  assert.ok(Buffer.byteLength(socketPath(long('a'))) <= 107, long('a'))
  assert.notEqual(long('a'), long('b'))
})

test('asked is the daemon of the usual directory, else the only one', () => {
  const base = join(dir, 'vipd')
  const add = (path: string) => {
    mkdirSync(path, { recursive: true })
    writeFileSync(socketPath(path), '')
  }
  assert.equal(usualRunDirectory(base), base)
  mkdirSync(join(base, 'netns-dead'), { recursive: true })
  mkdirSync(join(base, 'lost+found'))
  assert.deepEqual(runDirectories(base), [])
  add(join(base, 'netns-blue'))
  assert.equal(usualRunDirectory(base), join(base, 'netns-blue'))
  add(`${base}-other-1234`)
  assert.deepEqual(runDirectories(base), [join(base, 'netns-blue'), `${base}-other-1234`])
  assert.equal(usualRunDirectory(base), base)
  add(base)
  assert.equal(usualRunDirectory(base), base)
})

test('pid files are where keepalived 2.2.7 has them', () => {
  const given = { pidFile: null, vrrpPidFile: null }
  assert.deepEqual(pidFiles(given, plain), {
    main: '/run/keepalived.pid',
    vrrp: '/run/vrrp.pid',
  })
  assert.deepEqual(pidFiles(given, { ...plain, instanceName: 'foo' }), {
    main: '/run/keepalived_foo.pid',
    vrrp: '/run/vrrp_foo.pid',
  })
  assert.equal(
    pidFiles(given, { ...plain, pidDirectory: true }).main,
    '/run/keepalived/keepalived.pid',
  )
  assert.deepEqual(
    pidFiles(given, { netNamespace: 'blue', instanceName: 'foo', pidDirectory: false }),
    {
      main: '/run/keepalived/blue/keepalived_foo.pid',
      vrrp: '/run/keepalived/blue/vrrp_foo.pid',
    },
  )
  const named = pidFiles({ pidFile: '/x.pid', vrrpPidFile: null }, { ...plain, pidDirectory: true })
  assert.deepEqual(named, { main: '/x.pid', vrrp: '/run/keepalived/vrrp.pid' })
})
