/** Orders without an answer that reach a process while another takes its place (`vipd upgrade`): none is lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'
import { compiled, listener, ordered, processes } from './upgrading.ts'

const vip = '172.16.80.100'
const soonMs = 60_000
/** As `dumpOnSignals` names it: the first one of a file. */
const dumped = '/run/lab/dumps/keepalived.data'
const config = conf({ priority: 150, advertInt: 0.1, globals: 'vipd_dumps /run/lab/dumps' })

/** A program that is held before it reads anything. */
const heldAtStart = `
if (process.argv[2] === 'run') {
  console.log('held at its start')
  await new Promise(() => setInterval(() => undefined, 1e6))
}`
/** One that is held once it has the slots: its control socket never listens, so that the other process waits for it. */
const heldOnceItLeads = `
import net from 'node:net'
if (process.argv[2] === 'run') net.Server.prototype.listen = function () { return this }
await import('${compiled('cli/run.js')}')`
/** One that gets the state, and does nothing with it. */
const heldWithTheState = `
const { Channel } = await import('${compiled('daemon/upgrade-channel.js')}')
const next = Channel.prototype.next
Channel.prototype.next = async function (withinMs) {
  const message = await next.call(this, withinMs)
  return message?.kind === 'state' ? new Promise(() => undefined) : message
}
await import('${compiled('cli/run.js')}')`

test('the process that runs is told to stop while another prepares: it stops, and there is no upgrade', () =>
  inLab('stop-wins', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
    const other = one.write('/run/lab/other.mjs', heldAtStart)
    const daemon = startVipd(one, config)
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    await one.awaitAddress(vip, true, soonMs)
    const capture = await lab.capture()
    const said = ordered(daemon, [process.execPath, other])
    await daemon.child.line(/held at its start/, soonMs)
    await daemon.child.signal('SIGTERM')
    const { status } = await daemon.child.ended(soonMs)
    assert.equal(status, 0)
    assert.match(await said, /the daemon is to stop/)
    assert.match(daemon.child.text, /Upgrade refused, process \d+ goes on: the daemon is to stop/)
    assert.match(daemon.child.text, /"msg":"Stopped"/)
    await capture.advert('it resigns', soonMs, ({ priority }) => priority === 0)
    await one.awaitAddress(vip, false, soonMs)
    assert.equal(one.read(`${daemon.runDir}/owned.json`), null)
    await until(
      'the other process is gone',
      soonMs,
      async () => (await processes(one, 'vipd')).length === 0,
    )
  }))

test('the process that leaves is told to reload, to dump and to stop: the one that leads by then does so, and ends first', () =>
  inLab('passed-on', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
    await one.sh('mkdir -p /run/lab/dumps')
    const systemd = one.spawn('python3', ['-c', listener], { name: 'listener' })
    await systemd.line(/listening/, soonMs)
    const other = one.write('/run/lab/other.mjs', heldOnceItLeads)
    const under = ['env', 'NOTIFY_SOCKET=/run/lab/notify', 'WATCHDOG_USEC=600000000']
    const daemon = startVipd(one, config, 'vipd', under)
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    await one.awaitAddress(vip, true, soonMs)
    const [old] = await processes(one, 'vipd')
    const capture = await lab.capture()
    const said = ordered(daemon, [process.execPath, other])
    await daemon.child.line(/has everything; leaving/, soonMs)
    // It tells the watchdog before it can be asked: when the daemon is ready, as it leaves, and the new one.
    const pings = () => systemd.text.match(/^WATCHDOG=1$/gm)?.length ?? 0
    await until('all three pings have come', soonMs, () => pings() === 3)
    assert.match(systemd.text, /^MAINPID=\d+$/m)

    const mark = daemon.child.mark
    await daemon.child.signal('SIGHUP')
    await daemon.child.line(/SIGHUP passed on to process \d+/, soonMs, mark)
    await daemon.child.line(/Reloaded: nothing changed/, soonMs, mark)
    await daemon.child.signal('SIGUSR1')
    await daemon.child.line(/SIGUSR1 passed on to process \d+/, soonMs, mark)
    await daemon.child.line(/SIGUSR1 received: wrote /, soonMs, mark)
    assert.notEqual(one.read(dumped), null)
    // A client that was still connected would have been answered with a refusal: nothing of it goes to systemd.
    assert.equal(systemd.text.match(/^READY=1/gm)?.length, 2, systemd.text)

    assert.deepEqual((await processes(one, 'vipd')).includes(old ?? ''), true)
    await daemon.child.signal('SIGTERM')
    const { status } = await daemon.child.ended(soonMs)
    assert.equal(status, 0)
    // The one that leads had ended by then, in order.
    assert.match(daemon.child.text, /SIGTERM passed on to process \d+/)
    assert.match(daemon.child.text, /"msg":"Stopped"(.|\n)*"msg":"Process \d+ has ended"/)
    assert.deepEqual(await processes(one, 'vipd'), [])
    await capture.advert('it resigns', soonMs, ({ priority }) => priority === 0)
    await one.awaitAddress(vip, false, soonMs)
    assert.equal(one.read(`${daemon.runDir}/owned.json`), null)
    assert.match(await said, /upgraded/)
  }))

test('while the state is with the other process the result of a check is refused: it would be lost with an answer of yes', () =>
  inLab('passing', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
    const other = one.write('/run/lab/other.mjs', heldWithTheState)
    const before = 'vrrp_script told {\n probe push\n interval 60\n}'
    const more = 'track_script {\n told weight 5\n}'
    const daemon = startVipd(one, conf({ priority: 150, advertInt: 0.1, before, more }))
    await daemon.reaches('VI_1', 'BACKUP', soonMs)
    assert.equal((await daemon.ask('push', 'told')).status, 0)
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    const said = ordered(daemon, [process.execPath, other])
    const refused = await until('the state is passed', soonMs, async () => {
      const answer = await daemon.ask('push', 'told', '--fail', 'too late')
      return answer.status === 1 ? answer : null
    })
    assert.match(refused.stderr, /an upgrade is under way/)
    await daemon.child.signal('SIGTERM')
    assert.equal((await daemon.child.ended(soonMs)).status, 0)
    assert.match(await said, /the daemon is to stop/)
  }))
