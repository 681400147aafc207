/** The sockets of vipd_control_group and vipd_push_group, with processes of other users. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { program } from '../../src/lab/program.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const vipd = program('../cli/run.js')
/** Of each Debian: adm, games, nogroup. */
const [reader, pusher, other] = ['4', '60', '65534']

const text = (globals: string) =>
  conf({
    priority: 100,
    globals: `umask 077\n  ${globals}`,
    before: 'vrrp_script told {\n probe push\n interval 60\n}',
    more: 'track_script {\n told weight 5\n }',
  })

describe('who may ask over the control socket', () => {
  test('readers read, pushers push, the daemon’s user does all; a reload closes and opens', () =>
    inLab('groups', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const config = (globals: string) => host.write('/run/lab/vipd.conf', text(globals))
      config('vipd_control_group adm\n  vipd_push_group games')
      // Of a daemon that was killed.
      await host.sh('mkdir /run/vipd-of-groups; echo 99999 > /run/vipd-of-groups/vipd.pid')
      const child = host.spawn(
        process.execPath,
        [vipd, 'run', '-f', '/run/lab/vipd.conf', '--run-dir', '/run/vipd-of-groups'],
        { name: 'vipd' },
      )
      await child.line(/Entering (MASTER|BACKUP) STATE/, soonMs)
      await child.line(/Group games may push results at .*vipd-push\.sock/, soonMs)
      const as = (group: string, ...words: string[]) =>
        host.run('setpriv', [
          ...['--reuid=65534', '--regid=65534', `--groups=${group}`, '--'],
          ...[process.execPath, vipd, ...words, '--run-dir', '/run/vipd-of-groups'],
        ])
      const denied = async (group: string, words: readonly string[], why: RegExp) => {
        const { status, stderr } = await as(group, ...words)
        assert.equal(status, 2, stderr)
        assert.match(stderr, why)
      }

      const status = await as(reader, 'status', '--json')
      assert.equal(JSON.parse(status.stdout).instances[0].name, 'VI_1', status.stderr)
      assert.equal((await as(reader, 'history')).status, 0)
      await denied(reader, ['drain'], /not allowed to drain over .*: it is open to user root$/m)
      await denied(reader, ['push', 'told'], /vipd_push_group in global_defs lets a group push/)

      const pushed = await as(pusher, 'push', 'told')
      assert.equal(pushed.status, 0, pushed.stderr)
      await child.line(/VRRP_Script\(told\) succeeded/, soonMs)
      await denied(pusher, ['status'], /vipd_control_group in global_defs lets a group status/)
      await denied(other, ['status'], /it is open to user root/)
      await denied(other, ['push', 'told'], /it is open to user root/)

      config('vipd_control_group games')
      const reload = async () => {
        const { status, stdout, stderr } = await host.run(process.execPath, [
          ...[vipd, 'reload', '--run-dir', '/run/vipd-of-groups'],
        ])
        assert.equal(status, 0, `${stdout}${stderr}`)
        return stdout
      }
      const said: string = await reload()
      assert.match(said, /vipd_control_group: altered/)
      assert.match(said, /vipd_push_group: altered/)
      await until('games reads', soonMs, async () =>
        [0, 1].includes((await as(pusher, 'status')).status ?? 9),
      )
      await denied(reader, ['status'], /it is open to user root/)
      await denied(pusher, ['push', 'told'], /it is open to user root/)
      assert.equal((await host.sh('ls /run/vipd-of-groups')).includes('vipd-push.sock'), false)

      const pid = await host.must('pgrep', ['-x', 'vipd'])
      assert.equal(await host.sh('cat /run/vipd-of-groups/vipd.pid'), pid)
      await host.must('kill', [pid.trim()])
      await child.ended(soonMs)
      assert.doesNotMatch(await host.sh('ls /run/vipd-of-groups'), /\.sock|vipd\.pid/)
    }))

  test('a daemon that may not give the socket away says what it needs, and works with that', () =>
    inLab('groups-caps', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      host.write('/run/lab/vipd.conf', text('vipd_control_group adm'))
      const start = (groups: string, runDir: string) =>
        host.spawn(
          'setpriv',
          [
            ...['--bounding-set=-chown', '--inh-caps=-chown', groups, '--'],
            ...[process.execPath, vipd, 'run', '-f', '/run/lab/vipd.conf', '--run-dir', runDir],
          ],
          { name: `vipd ${runDir}` },
        )
      const alone = start('--clear-groups', '/run/vipd-alone')
      const why = /vipd_control_group adm: .*member of adm .*SupplementaryGroups=adm/
      await alone.line(why, soonMs)
      const status = await host.run(process.execPath, [
        ...[vipd, 'status', '--json', '--run-dir', '/run/vipd-alone'],
      ])
      assert.match(JSON.parse(status.stdout).warnings.join(), why)
      const ls = await host.sh('ls /run/vipd-alone')
      assert.equal(ls.includes('vipd-read.sock'), false, ls)
      await host.must('kill', [(await host.must('pgrep', ['-x', 'vipd'])).trim()])
      await alone.ended(soonMs)
      const member = start(`--groups=${reader}`, '/run/vipd-member')
      await member.line(/Group adm may read at/, soonMs)
    }))
})
