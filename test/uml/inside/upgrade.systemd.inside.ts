/** `vipd upgrade` of the unit under systemd, beside a peer that watches: systemd follows, and its orders reach the new process. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { requestStatus } from '../../../src/control/client.ts'
import { Journal, until } from '../../../src/lab/wait.ts'
import { slowMs } from './pair.ts'
import { attempt, journal, managerSaid, property, run, systemctl, vipdProgram } from './unit.ts'

const vip = '10.80.0.100'
const configFile = '/run/vipd.conf'
const peerFile = '/run/peer.conf'
const peerRunDir = '/run/peer'
const [node, script] = vipdProgram

const config = (priority: number, link: string): string => `vrrp_instance VI_1 {
  interface ${link}
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  garp_master_delay 0
  virtual_ipaddress {
    ${vip}/24
  }
}
`

const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill()
})

/** Lines that a program writes from now on. */
function lines(command: string, ...args: readonly string[]): Journal<string> {
  const said = new Journal<string>()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let rest = ''
  child.stdout.on('data', (piece: Buffer) => {
    const parts = `${rest}${piece}`.split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) said.push(part)
  })
  return said
}

const status = (runDir = '/run/vipd') => requestStatus(`${runDir}/vipd.sock`)
/** null: it does not answer. */
const stateIn = async (runDir?: string): Promise<string | null> => {
  const said = await status(runDir).catch(() => null)
  return said?.instances[0]?.state ?? null
}
const leads = () => until('it leads', slowMs, async () => (await stateIn()) === 'MASTER')
const peerIs = (state: string) =>
  until(`the peer is ${state}`, slowMs, async () => (await stateIn(peerRunDir)) === state)

let wire = new Journal<string>()
let kernel = new Journal<string>()
const sent = (pattern: RegExp): number => wire.items.filter((line) => pattern.test(line)).length
const adverts = (): number => sent(/> 224\.0\.0\.18: VRRP/)
const resignations = (): number => sent(/prio 0\b/)

before(async () => {
  for (const words of [
    'netns add peer',
    'link add eth0 type veth peer name eth1 netns peer',
    'link set eth0 up',
    'address add 10.80.0.1/24 dev eth0',
    '-n peer link set lo up',
    '-n peer link set eth1 up',
    '-n peer address add 10.80.0.2/24 dev eth1',
  ])
    run('ip', ...words.split(' '))
  writeFileSync(configFile, config(150, 'eth0'))
  writeFileSync(peerFile, config(100, 'eth1'))
  systemctl('start', 'vipd')
  await leads()
  const peer = ['netns', 'exec', 'peer', node, script, 'run', '-f', peerFile]
  lines('ip', ...peer, '--run-dir', peerRunDir)
  wire = lines('tcpdump', '-l', '-n', '-i', 'eth0', 'arp or ip proto 112')
  kernel = lines('ip', '-o', 'monitor', 'address')
  await peerIs('BACKUP')
  await until('adverts are seen', slowMs, () => adverts() > 0)
})

/** What an upgrade may not move. */
async function standing() {
  const { instances, engine } = await status()
  const [own, peer] = [instances[0], (await status(peerRunDir)).instances[0]]
  return {
    ...{ state: own?.state, why: own?.why, transitions: own?.transitions },
    ...{ peer: peer?.state, ofPeer: peer?.transitions, realtime: engine.realtime },
    ...{ restarts: property('NRestarts'), unit: property('ActiveState') },
    held: run('ip', '-o', 'address', 'show', 'to', vip).split('\n').length,
    ...{ announced: sent(new RegExp(`ARP.*${vip}`)), resigned: resignations() },
    taken: kernel.items.filter((line) => line.includes('Deleted') && line.includes(vip)).length,
  }
}

/** Processes of the unit; none: its control group is gone. */
function processes(): readonly string[] {
  const file = `/sys/fs/cgroup/system.slice/vipd.service/cgroup.procs`
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

/** The number of the new process, when nothing else is left beside its warden. */
async function upgraded(): Promise<string> {
  const old = property('MainPID')
  const { status: ended, said: answer } = attempt(node, script, 'upgrade')
  assert.equal(ended, 0, answer)
  const pid = /^vipd \S+ \(process (\d+)\) goes on/.exec(answer)?.[1] ?? answer
  assert.notEqual(pid, old)
  await until('systemd follows', slowMs, () => property('MainPID') === pid)
  await until('the old processes are gone', slowMs, () => processes().length === 2)
  assert.ok(processes().includes(pid))
  return pid
}

const said = () => ({ daemon: journal(), manager: managerSaid() })
/** Of both, since then. */
const since = (then: ReturnType<typeof said>): string =>
  [journal().slice(then.daemon.length), managerSaid().slice(then.manager.length)].join('\n')

test('twice in a row: systemd follows to the new process, the unit goes on, and nothing moves', async () => {
  const [before, start] = [await standing(), said()]
  assert.deepEqual(
    [before.unit, before.held, before.peer, before.realtime],
    ['active', 1, 'BACKUP', true],
  )
  for (const _ of [1, 2]) {
    await upgraded()
    const count = adverts()
    await until('adverts go on', slowMs, () => adverts() >= count + 2)
    assert.deepEqual(await standing(), before)
    assert.equal(property('StatusText'), '1 instance')
  }
  assert.doesNotMatch(since(start), /not our child|reception only permitted|without waiting/)
})

test('refused by the new version: the old process goes on, and it is said why', async () => {
  const [before, pid] = [await standing(), property('MainPID')]
  const other = '/run/other.mjs'
  writeFileSync('/run/broken.conf', 'vrrp_instance VI_1 {\n')
  writeFileSync(
    other,
    `if (process.argv[2] === 'run') process.argv[process.argv.indexOf('-f') + 1] = '/run/broken.conf'
    await import('${script}')`,
  )
  const refusal = attempt(node, other, 'upgrade')
  assert.equal(refusal.status, 1)
  assert.match(refusal.said, /broken\.conf:\d+/)
  await until('the refused one is gone', slowMs, () => processes().length === 2)
  assert.equal(property('MainPID'), pid)
  assert.match(journal(), new RegExp(`Upgrade refused, process ${pid} goes on: .*broken\\.conf`))
  assert.deepEqual(await standing(), before)
})

test('a reload reaches the new process', async () => {
  writeFileSync(configFile, config(151, 'eth0'))
  systemctl('reload', 'vipd')
  await until('it has been reloaded', slowMs, async () => {
    const [instance] = (await status()).instances
    return instance?.effectivePriority === 151
  })
})

test('the new process killed: systemd sees its main process end, and starts the unit anew', async () => {
  const from = said()
  process.kill(Number(property('MainPID')), 'SIGKILL')
  await until('it is started again', slowMs, () => property('NRestarts') === '1')
  await leads()
  assert.equal(property('ActiveState'), 'active')
  assert.match(since(from), /Main process exited, code=killed, status=9\/KILL/)
})

test('a restart after an upgrade is a stop and a start; a stop leaves nothing', async () => {
  await upgraded()
  const old = processes()
  for (const order of ['restart', 'stop']) {
    const [from, count] = [said(), resignations()]
    systemctl(order, 'vipd')
    assert.match(since(from), /SIGTERM received, stopping(.|\n)*^Stopped$/m)
    assert.doesNotMatch(since(from), /Failed with result|SIGKILL/)
    await until('it resigned', slowMs, () => resignations() > count)
    assert.deepEqual(
      processes().filter((pid) => old.includes(pid)),
      [],
    )
    if (order === 'restart') await leads()
  }
  assert.deepEqual([property('ActiveState'), property('Result')], ['inactive', 'success'])
  assert.deepEqual(processes(), [])
  assert.equal(run('ip', 'address', 'show', 'to', vip), '')
  await peerIs('MASTER')
})
