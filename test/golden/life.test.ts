/**
 * A pair's life in a lab, and what it shows to programs: log lines that people grep for, the JSON of the commands, the
 * answers on the control socket, exit statuses.
 */
import { test } from 'node:test'
import { request } from '../../src/control/client.ts'
import type { Verb } from '../../src/control/protocol.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { inLab } from '../e2e/pair.ts'
import { assertGolden, holds, linesOf, nearest, refuse, write } from './golden.ts'
import { Shape } from './shape.ts'

const soonMs = 30_000
const bin = program('../cli/run.js')

const instance = (
  name: string,
  vrid: number,
  priority: number,
  more: string,
) => `vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${vrid}
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    172.16.80.${vrid}
  }
  notify /run/lab/note
  ${more}
}
`

const conf = (priority: number) => `global_defs {
  script_user root
  enable_script_security
  vrrp_version 3
}
vrrp_script chk {
  script "/usr/bin/test ! -e /run/lab/broken"
  interval 0.2
  weight -60
}
vrrp_script job {
  probe push
  interval 3600
  weight 1
}
vrrp_sync_group VG {
  sync_group_tracking_weight
  group {
    VI_1
    VI_2
  }
}
${instance('VI_1', 51, priority, 'track_script {\n    chk\n    job\n  }\n  virtual_ipaddress_excluded {\n    172.16.80.101\n  }')}
${instance('VI_2', 52, priority, 'track_script {\n    chk\n    job\n  }')}
`
const badConf = `${conf(150)}${instance('VI_3', 53, 50, 'bogus yes')}`

type Pair = { readonly a: Vipd; readonly b: Vipd; readonly hostA: Host }

async function startPair(lab: Lab): Promise<Pair> {
  const hostA = await lab.host('a', { addresses: { eth0: ['172.16.80.2/24'] } })
  const hostB = await lab.host('b', { addresses: { eth0: ['172.16.80.3/24'] } })
  const note = '#!/bin/sh\necho "$@" >> /run/lab/notified\n'
  for (const host of [hostA, hostB]) host.write('/run/lab/note', note, 0o755)
  const a = startVipd(hostA, conf(150))
  await a.reaches('VI_1', 'MASTER', soonMs)
  const b = startVipd(hostB, conf(100))
  await b.reaches('VI_1', 'BACKUP', soonMs)
  await until('the backup hears its master', soonMs, async () => {
    const { instances } = await b.status()
    return (instances[0]?.adverts.received ?? 0) > 4 && instances[0]?.master !== null
  })
  return { a, b, hostA }
}

/** Every command that prints JSON, on both hosts. */
async function outputs({ a, b, hostA }: Pair, shape: Shape): Promise<void> {
  for (const daemon of [a, b])
    for (const command of ['status', 'history'])
      shape.add(command, JSON.parse((await daemon.ask(command, '--json')).stdout))
  hostA.write('/run/lab/bad.conf', badConf)
  for (const file of ['vipd', 'bad']) {
    const words = ['check', '--json', '-f', `/run/lab/${file}.conf`]
    const checked = await hostA.run(process.execPath, [bin, ...words])
    shape.add('check', JSON.parse(checked.stdout))
  }
  await b.ask('tune', '--save', '/run/lab/observed')
  shape.add('tune', JSON.parse(b.host.read('/run/lab/observed') ?? ''))
}

/** Each verb once, with the answers that it has in a pair. `stop` ends the daemon. */
async function answers({ a, b }: Pair, shape: Shape): Promise<void> {
  const socket = ({ host, runDir }: Vipd) => `/proc/${host.pid}/root${runDir}/vipd.sock`
  const ask = async (verb: Verb, more: { name?: string } = {}, of = a) => {
    const result = await request(socket(of), verb, { timeoutMs: soonMs, ...more })
    shape.add(`answer.${verb}${more.name === 'chk' ? '(check)' : ''}`, result)
  }
  await ask('ping')
  await ask('status')
  await ask('history')
  await ask('claims')
  await ask('observe')
  await ask('observe', {}, b)
  await ask('observe', { name: 'chk' })
  await ask('push', { name: 'job' })
  await ask('failover', { name: 'VG' })
  await b.reaches('VI_1', 'MASTER', soonMs)
  await ask('resume', { name: 'VG' })
  await a.reaches('VI_1', 'MASTER', soonMs)
  await ask('drain', {}, b)
  await ask('resume', {}, b)
  a.configure(conf(150).replace('advert_int 0.2', 'advert_int 0.3'))
  await ask('reload')
  a.configure(badConf)
  await ask('reload')
  shape.add('status', await a.status())
  a.configure(conf(150))
  await a.reload()
  await until('reloaded', soonMs, async () => (await a.status()).config.lastReload === 'ok')
}

/** A check that fails, a link that fails, an orderly stop: what the log says of them. */
async function troubles({ a, b, hostA }: Pair, shape: Shape): Promise<void> {
  const line = (text: RegExp) => a.child.line(text, soonMs, a.child.mark)
  const failed = line(/now returning 1/)
  hostA.write('/run/lab/broken', '')
  await failed
  await b.reaches('VI_1', 'MASTER', soonMs)
  shape.add('status', await a.status())
  const good = line(/now returning 0/)
  await hostA.must('rm', ['/run/lab/broken'])
  await good
  await a.reaches('VI_1', 'MASTER', soonMs)
  await hostA.must('ip', ['link', 'set', 'eth0', 'down'])
  await a.reaches('VI_1', 'FAULT', soonMs)
  shape.add('status', await a.status())
  await hostA.must('ip', ['link', 'set', 'eth0', 'up'])
  await a.reaches('VI_1', 'MASTER', soonMs)
}

type Exits = (what: string, status: number | null) => void

async function exitsOf({ a, hostA }: Pair, note: Exits): Promise<void> {
  const run = async (...words: string[]) =>
    note(`vipd ${words.join(' ')}`, (await hostA.run(process.execPath, [bin, ...words])).status)
  const ask = async (...words: string[]) =>
    note(`vipd ${words.join(' ')}`, (await a.ask(...words)).status)
  hostA.write('/run/lab/empty.conf', '')
  hostA.write('/run/lab/operand.conf', 'vrrp_instance VI_1 {\n  interface\n}\n')
  hostA.write('/run/lab/insecure.conf', conf(150).replace('enable_script_security', ''))
  for (const file of ['vipd', 'bad', 'empty', 'operand', 'insecure', 'absent'])
    await run('check', '-f', `/run/lab/${file}.conf`)
  await run('-t', '-f', '/run/lab/vipd.conf')
  await run('run', '-f', '/run/lab/absent.conf', '--run-dir', '/run/lab/other')
  await run('run', '-f', '/run/lab/operand.conf', '--run-dir', '/run/lab/other')
  await run('run', '-f', '/run/lab/vipd.conf', '--run-dir', '/run/lab/vipd')
  await run('probe', 'chk', '-f', '/run/lab/vipd.conf')
  await run('probe', 'nothing', '-f', '/run/lab/vipd.conf')
  await run('bogus')
  await run('status', '--bogus')
  await run('version')
  for (const command of ['status', 'history', 'reload', 'drain', 'resume'])
    await run(command, '--run-dir', '/run/lab/other')
  await run('cleanup', '--run-dir', '/run/lab/other')
  await ask('cleanup')
  await ask('status')
  await ask('status', '--json')
  for (const command of ['status', 'history', 'failover', 'resume', 'push', 'tune'])
    await ask(command, 'nothing')
  await ask('push', 'job', '--fail', 'on purpose')
  await ask('resume', 'VG')
  await ask('reload')
  a.configure(badConf)
  await ask('reload')
  await ask('reload', '--force')
  await ask('status')
}

test('the life of a pair', { timeout: 300_000 }, () =>
  inLab('golden', async (lab) => {
    const pair = await startPair(lab)
    const shape = new Shape()
    const exits: string[] = []
    await outputs(pair, shape)
    await answers(pair, shape)
    await troubles(pair, shape)
    await exitsOf(pair, (what, status) => exits.push(`${what}: ${status}`))
    const ended = await pair.a.stop()
    const told = await until('the last notification', soonMs, () => {
      const lines = pair.hostA.read('/run/lab/notified') ?? ''
      return lines.includes('VI_1 STOP') ? lines : null
    })
    exits.push(`vipd run, after SIGTERM: ${ended.status ?? ended.signal}`)
    const log = [pair.a, pair.b].flatMap((daemon) => daemon.child.text.split('\n'))
    for (const line of log) {
      const record = JSON.parse(line) as { msg: string }
      if (/Entering (MASTER|BACKUP|FAULT)/.test(record.msg))
        shape.add('log', { ...record, cause: {} })
    }
    assertGolden('exits.txt', exits)
    assertShape(shape)
    assertPhrases(
      'log',
      log.map((line) => (JSON.parse(line) as { msg: string }).msg),
    )
    assertPhrases('notify', told.split('\n'))
  }),
)

function assertPhrases(kind: 'log' | 'notify', log: readonly string[]): void {
  const phrases = linesOf('phrases.txt').map((line) => line.split('\t'))
  const wanted = phrases.flatMap(([where, phrase = '']) => (where === kind ? [phrase] : []))
  const gone = wanted.filter((phrase) => !log.some((line) => holds(line, phrase)))
  refuse(
    'phrases.txt',
    gone.map((phrase) => `- ${phrase}\n  nearest now: ${nearest(log, phrase)}`),
  )
}

function assertShape(shape: Shape): void {
  if (process.env['GOLDEN'] !== 'write')
    return refuse('shapes.txt', shape.breaks(linesOf('shapes.txt')))
  shape.addFrozen(linesOf('shapes.txt'))
  write('shapes.txt', shape.lines())
}
