/** What the unit promises: the statuses with which `vipd run` refuses a configuration end the restarts, and no others. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const rootAbove = (from: string): string =>
  existsSync(join(from, 'package.json')) ? from : rootAbove(dirname(from))
const root = rootAbove(dirname(fileURLToPath(import.meta.url)))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

function setting(name: string): readonly string[] {
  const found = new RegExp(`^${name}=(.*)$`, 'm').exec(read('systemd/vipd.service'))
  return found?.[1]?.split(' ') ?? []
}

test('a configuration that cannot run is not tried again every second', () => {
  const run = /\| `vipd run` \| the daemon \| (.*) \|/.exec(read('docs/commands.md'))?.[1] ?? ''
  const statuses = /(\d) or (\d) the configuration cannot run/.exec(run)
  assert.deepEqual(setting('RestartPreventExitStatus'), statuses?.slice(1))
  assert.deepEqual(setting('Restart'), ['always'])
})

test('it starts after keepalived has stopped, and outlives a check that ran out of memory', () => {
  assert.ok(setting('After').includes('keepalived.service'))
  assert.deepEqual(setting('Conflicts'), ['keepalived.service'])
  assert.deepEqual(setting('OOMPolicy'), ['continue'])
})

const service = (path: string): readonly string[] => {
  const [, text = ''] = read(path).split('[Service]\n')
  return [...(text.split('\n[')[0] ?? '').matchAll(/^([A-Z]\w+)=/gm)].map(([, name = '']) => name)
}
const dropIns = readdirSync(join(root, 'systemd/drop-ins'))

test('what the unit forbids is explained, with the drop-in of each feature that needs more', () => {
  const page = read('docs/systemd.md')
  const forbids = /^(Protect|Private|Restrict|NoNew|Lock|System|Capability|Ambient|UMask)/
  for (const name of service('systemd/vipd.service'))
    if (forbids.test(name))
      assert.ok(page.includes(`\`${name}`), `${name} is not in docs/systemd.md`)
  for (const name of dropIns) {
    assert.ok(page.includes(`\`${name}\``), `${name} is not in docs/systemd.md`)
    const loosened = service(`systemd/drop-ins/${name}`)
    const unit = service('systemd/vipd.service')
    assert.ok(
      loosened.every((it) => unit.includes(it)),
      `${name} loosens what the unit does not set`,
    )
  }
})

test('IPv6 settings of links can be written, and no other of /proc/sys', () => {
  assert.deepEqual(setting('ProtectKernelTunables'), ['yes'])
  assert.deepEqual(setting('ReadWritePaths'), ['-/proc/sys/net/ipv6/conf'])
})

const analyze = spawnSync('systemd-analyze', ['--version'])

test('systemd takes the unit with all drop-ins', { skip: analyze.error !== undefined }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vipd-unit-'))
  try {
    // Of the drop-ins the sections, one after the other: what they set last counts, as there.
    const unit = [
      read('systemd/vipd.service'),
      ...dropIns.map((it) => read(`systemd/drop-ins/${it}`)),
    ]
    const text = unit.join('\n').replaceAll('/usr/bin/vipd', process.execPath)
    const path = join(folder, 'vipd.service')
    writeFileSync(path, text.replace(/^Documentation=.*$/m, ''))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
      encoding: 'utf8',
    })
    assert.deepEqual(
      [status, stderr.split('\n').filter((it) => it.includes('vipd.service'))],
      [0, []],
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
