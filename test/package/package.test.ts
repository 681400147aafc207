/**
 * The Debian packages on a bare Debian 12 without Node.js, compiler or Python: installed, run as a pair in namespaces,
 * upgraded while one leads, removed and purged; and as a container's file system with a container's capabilities.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { projectRoot } from '../../src/lab/program.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from '../e2e/pair.ts'
import { links, pages } from '../unit/docs/markdown.ts'
import { upgradesInPlace } from './in-place.ts'
import { followThePage } from './page.ts'
import { bareRoot, makePackages, RootedHost, scratchFolder } from './root.ts'

const vip = '172.16.80.100'
/** That of docs/installing.md. */
const interfaceName = 'ens18'
const pairVip = '198.51.100.10'
const soonMs = 60_000
const scratch = scratchFolder()
let first: readonly string[] = []

before(() => {
  first = makePackages(join(scratch, 'first'), '1')
})
after(() => rmSync(scratch, { recursive: true, force: true }))

/** Puts the archives below /srv of the root. */
const deliver = (root: string, archives: readonly string[]): readonly string[] =>
  archives.map((archive) => {
    cpSync(archive, join(root, 'srv', basename(archive)))
    return `/srv/${basename(archive)}`
  })

const install = (at: RootedHost, archives: readonly string[]): Promise<string> =>
  at.must('dpkg', '-i', ...deliver(at.root, archives))

/** Links of the installed pages that lead to no file. */
function deadLinks(root: string): readonly string[] {
  const doc = join(root, 'usr/share/doc/vipd')
  const installed = pages().filter(({ path }) => existsSync(join(doc, path)))
  assert.ok(installed.length > 40, String(installed.length))
  return installed.flatMap((page) =>
    links(page)
      .filter((target) => !/^(https?:|#)/.test(target))
      .filter((target) => !existsSync(join(doc, dirname(page.path), target.split('#')[0] ?? '')))
      .map((target) => `${page.path}: ${target}`),
  )
}

const installedFiles = (at: RootedHost): Promise<string> =>
  at.must(
    'sh',
    '-c',
    'find / -xdev -path /var/lib/dpkg -prune -o -path /var/log -prune -o -path /srv -prune -o -print',
  )

test('lintian has nothing to say', () => {
  const said = spawnSync('lintian', ['--allow-root', '--profile', 'debian', ...first], {
    encoding: 'utf8',
  })
  assert.equal(said.error, undefined, 'Debian package lintian')
  assert.deepEqual([said.status, said.stdout], [0, ''])
})

test('the same sources, compiled again in another place, give the same bytes', () => {
  const tree = join(scratch, 'elsewhere')
  mkdirSync(tree)
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: projectRoot })
  const copy = 'xargs -0 cp --parents -t "$1" && cp -a node_modules "$1"'
  execFileSync('sh', ['-c', copy, 'sh', tree], { cwd: projectRoot, input: tracked })
  execFileSync('npx', ['node-gyp', 'configure', 'build'], { cwd: tree, stdio: 'pipe' })
  execFileSync('npm', ['run', 'build:ts'], { cwd: tree, stdio: 'pipe' })
  const again = makePackages(join(scratch, 'again'), '1', tree)
  assert.equal(again.length, 2)
  for (const [index, archive] of again.entries())
    assert.ok(readFileSync(archive).equals(readFileSync(first[index] ?? '')), basename(archive))
})

describe('a pair', () => {
  test('is installed as the page says, fails over, is upgraded while it leads, removed and purged', () =>
    inLab('package', async (lab) => {
      const hosts = await Promise.all(
        ['a', 'b'].map(async (name, index) => {
          const host = await lab.host(name, {
            addresses: { [interfaceName]: [`198.51.100.${index + 1}/24`] },
          })
          return await RootedHost.open(host, bareRoot(scratch, name))
        }),
      )
      const [a, b] = hosts
      assert.ok(a !== undefined && b !== undefined)
      const holds = async (at: RootedHost) => {
        try {
          await at.host.awaitAddress(pairVip, true, soonMs)
        } catch (error) {
          const logs = [a, b].map(({ host, root }) => host.read(`${root}/run/vipd-service.log`))
          throw new Error(logs.join('\n---\n'), { cause: error })
        }
      }
      for (const missing of ['node', 'gcc', 'python3', 'systemctl', 'ip'])
        assert.notEqual((await a.run('sh', '-c', `command -v ${missing}`)).status, 0, missing)
      const before = await installedFiles(a)
      for (const at of [a, b]) deliver(at.root, first)
      await followThePage(a, b, holds)
      for (const at of [a, b]) {
        assert.equal(await at.must('vipd', '--version'), 'vipd 0.1.0\n')
        assert.match(await at.must('getent', 'group', 'vipd'), /^vipd:/)
      }
      assert.deepEqual(deadLinks(a.root), [])
      await holds(a)
      await until('only one holds it', soonMs, async () => !(await b.host.holds(pairVip)))

      // Fail-over: the daemon is killed, the warden gives the address up.
      await a.must('systemctl', 'kill', 'vipd.service')
      await holds(b)
      await a.must('systemctl', 'start', 'vipd.service')
      await holds(a)

      // Upgrade of the leader: the peer serves meanwhile.
      const second = makePackages(join(scratch, 'second'), '2')
      const pid = await a.must('cat', '/run/vipd-service.pid')
      const taken = b.host.changes.next(
        'b takes over',
        soonMs * 2,
        (c) => c.address === pairVip && c.present,
        b.host.changes.items.length,
      )
      const said = await install(a, second)
      assert.doesNotMatch(said, /no peer took over|failed/)
      await taken
      assert.notEqual(await a.must('cat', '/run/vipd-service.pid'), pid)
      await holds(a)
      assert.match(await a.must('dpkg', '-s', 'vipd'), /^Version: 0\.1\.0-2$/m)

      // A configuration that the new one cannot run with: the old daemon goes on.
      const running = await a.must('cat', '/run/vipd-service.pid')
      writeFileSync(join(a.root, 'etc/vipd/vipd.conf'), 'vrrp_instance VI_1 {\n')
      assert.match(await install(a, second.slice(0, 1)), /the old daemon goes on/)
      assert.equal(await a.must('cat', '/run/vipd-service.pid'), running)
      assert.ok(await a.host.holds(pairVip))

      const gone = b.host.changes.next(
        'b takes over',
        soonMs,
        (c) => c.address === pairVip && c.present,
        b.host.changes.items.length,
      )
      await a.must('dpkg', '--remove', 'vipd', 'vipd-runtime')
      await gone
      assert.ok(!(await a.host.holds(pairVip)))
      assert.ok((await a.must('ls', '/etc/vipd')).includes('vipd.conf'))
      await a.must('dpkg', '--purge', 'vipd', 'vipd-runtime')
      assert.notEqual((await a.run('getent', 'group', 'vipd')).status, 0)
      await a.must('rm', '/bin/systemctl')
      const lines = (text: string) => new Set(text.split('\n'))
      assert.deepEqual(
        [...lines(await installedFiles(a))].filter(
          (path) => !lines(before).has(path) && !/-$/.test(path),
        ),
        [],
      )
    }))
})

upgradesInPlace(scratch, () => first)

/** What follows a word at the begin of a line of a file in contrib/. */
const contrib = (file: string): string => readFileSync(join(projectRoot, 'contrib', file), 'utf8')

test('a container: as process 1, read-only, with the capabilities of the compose file and no others', () =>
  inLab('container', async (lab) => {
    const host = await lab.host('c', { addresses: { eth0: ['172.16.80.3/24'] } })
    const root = bareRoot(scratch, 'c')
    deliver(root, first)
    const step = /^RUN (.*)$/m.exec(contrib('container/Containerfile'))?.[1] ?? ''
    assert.match(step, /dpkg -i/)
    execFileSync('chroot', [root, 'sh', '-c', step], { stdio: 'pipe' })
    writeFileSync(join(root, 'etc/vipd/vipd.conf'), conf({ priority: 150 }))
    const names = [...contrib('container/compose.yaml').matchAll(/^ {6}- ([A-Z_]+) /gm)].map(
      ([, name = '']) => name,
    )
    assert.deepEqual(names, ['NET_ADMIN', 'NET_RAW', 'SYS_NICE'])
    assert.ok(contrib('kubernetes/vipd.yaml').includes(`add: [${names.join(', ')}]`))
    const bounding = ['-all', ...names.map((name) => `+${name.toLowerCase()}`)].join(',')
    const script = [
      `mount --bind ${root} ${root}`,
      `mount -o remount,ro,bind ${root}`,
      `mount -t proc proc ${root}/proc`,
      `mount --rbind /sys ${root}/sys`,
      `mount --rbind /dev ${root}/dev`,
      `mount -t tmpfs tmpfs ${root}/run`,
      `mount -t tmpfs tmpfs ${root}/tmp`,
      `exec chroot ${root} setpriv --bounding-set ${bounding} --inh-caps -all --no-new-privs /usr/bin/vipd run --log-format json`,
    ].join(' && ')
    const child = host.spawn(
      'unshare',
      ['--pid', '--mount', '--fork', '--kill-child', 'sh', '-c', script],
      { name: 'vipd' },
    )
    await host.awaitAddress(vip, true, soonMs)
    const inside = await host.must('sh', [
      '-c',
      'for p in /proc/[0-9]*; do [ "$(awk \'/^NSpid/ { print $NF }\' $p/status)" = 1 ] && readlink $p/exe | grep -q /usr/lib/vipd/node && cat $p/status; done; true',
    ])
    const held = /^CapEff:\s*(\S+)$/m.exec(inside)?.[1] ?? '0'
    // NET_ADMIN 12, NET_RAW 13, SYS_NICE 23.
    assert.equal(BigInt(`0x${held}`), (1n << 12n) | (1n << 13n) | (1n << 23n))
    const pid = /^Pid:\s*(\d+)$/m.exec(inside)?.[1] ?? ''
    await host.must('kill', ['-TERM', pid])
    await host.awaitAddress(vip, false, soonMs)
    const { status } = await child.ended(soonMs)
    assert.equal(status, 0, child.text)
  }))
