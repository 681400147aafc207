/** The lab itself: what the other tests rely on, and that nothing of it outlives its process. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Child } from '../../src/lab/child.ts'
import { Client } from '../../src/lab/client.ts'
import type { Host } from '../../src/lab/host.ts'
import { type Lab, openLab } from '../../src/lab/lab.ts'
import { serveWeb } from '../../src/lab/serving.ts'
import { until } from '../../src/lab/wait.ts'
import { inLab } from './pair.ts'

const links = (): string => execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' })
const alive = (pid: number): boolean => existsSync(`/proc/${pid}`)

async function two(lab: Lab): Promise<readonly [Host, Host]> {
  const one = await lab.host('one', { addresses: { eth0: ['192.0.2.1/24', 'fd00::1/64'] } })
  const other = await lab.host('two', { addresses: { eth0: ['192.0.2.2/24', 'fd00::2/64'] } })
  return [one, other]
}

describe('the lab', { concurrency: 4 }, () => {
  test('a killed lab leaves no process and no interface', async () => {
    const before = links()
    const victim = new Child('victim', [
      process.execPath,
      fileURLToPath(new URL('./lab-victim.js', import.meta.url)),
    ])
    const said = await victim.line(/^pids /, 20_000)
    const pids = said.text.split(' ').slice(1).map(Number)
    assert.equal(pids.length, 2)
    assert.ok(pids.every(alive))
    await victim.signal('SIGKILL')
    await until('all its processes are gone', 60_000, () => !pids.some(alive))
    assert.equal(links(), before)
  })

  test('a closed lab leaves no process', async () => {
    const lab = await openLab({ name: 'closed' })
    const [one] = await two(lab)
    const sleeper = one.spawn('sleep', ['1000'])
    const pid = await sleeper.pid()
    assert.ok(pid !== null && alive(pid))
    await lab.close()
    await until('its processes are gone', 60_000, () => !alive(one.pid) && !alive(pid))
  })

  test('hosts have process tables, files and names of their own', () =>
    inLab('own', async (lab) => {
      const [one, other] = await two(lab)
      await serveWeb(one)
      assert.equal((await one.run('killall', ['-0', 'httpd'])).status, 0)
      assert.equal((await other.run('killall', ['-0', 'httpd'])).status, 1)
      assert.equal((await other.must('hostname')).trim(), 'two')
      one.write('/tmp/here', 'yes')
      assert.equal(await one.must('cat', ['/tmp/here']), 'yes')
      assert.equal(other.read('/tmp/here'), null)
      assert.equal(existsSync('/tmp/here'), false)
    }))

  test('cut, heal, unplug and plug do what they say', () =>
    inLab('wires', async (lab) => {
      const [one, other] = await two(lab)
      const carrier = async () =>
        (await one.must('ip', ['-o', 'link', 'show', 'eth0'])).includes('LOWER_UP')
      const served = await serve(one, other)
      await served.answeredBy('one', 60_000)
      await lab.cut(one)
      await silence(served)
      assert.equal(await carrier(), true)
      await lab.heal(one)
      await served.answeredBy('one', 60_000)
      await lab.unplug(one)
      await until('no carrier', 60_000, async () => !(await carrier()))
      await silence(served)
      await lab.plug(one)
      await served.answeredBy('one', 60_000)
      assert.ok(served.gaps().length >= 2)
    }))

  test('loss drops a share of the frames, and all of them at 100', () =>
    inLab('loss', async (lab) => {
      const [one, other] = await two(lab)
      const served = await serve(one, other)
      await served.answeredBy('one', 60_000)
      await lab.loss(one, 100)
      await silence(served)
      await lab.loss(one, 0)
      await served.answeredBy('one', 60_000)
    }))

  test('a capture shows what crosses the switch, once, with the kernel’s time', () =>
    inLab('capture', async (lab) => {
      const [one, other] = await two(lab)
      const capture = await lab.capture()
      const before = Date.now()
      const served = await serve(one, other)
      await served.answeredBy('one', 60_000)
      const asks = (f: (typeof capture.frames.items)[number]) =>
        f.kind === 'arp' && f.sender === '192.0.2.2' && f.target === '192.0.2.1' && !f.gratuitous
      const seen = await capture.frames.next('the ARP request', 60_000, asks)
      assert.ok(Math.abs(seen.atMs - before) < 10_000)
      await capture.stop()
    }))
})

async function serve(server: Host, asker: Host): Promise<Client> {
  await serveWeb(server)
  return Client.start(asker, '192.0.2.1', 20, 200)
}

/** Ten questions in a row without an answer. */
async function silence(client: Client): Promise<void> {
  await until('no host answers', 60_000, () => {
    const last = client.answers.items.slice(-10)
    return last.length === 10 && last.every((answer) => answer.by === null)
  })
}
