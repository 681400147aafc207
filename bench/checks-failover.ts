/**
 * A service dies: how long until its host gives the address up, and until the peer has it. By the wire: the resignation of
 * the old master, and the first announcement of the new one. vipd and keepalived by turns.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { summarise } from '../src/base/statistics.ts'
import { type Contender, keepalivedContender, vipdContender } from '../src/bench/contender.ts'
import type { Capture } from '../src/lab/capture.ts'
import type { Child } from '../src/lab/child.ts'
import { senderOf } from '../src/lab/frames.ts'
import { openLab } from '../src/lab/lab.ts'
import { serveWeb } from '../src/lab/serving.ts'
import { nowMs } from '../src/lab/wait.ts'
import type { Options } from './checks-cost.ts'

type Row = Readonly<Record<string, string | number>>
type Case = { readonly contender: Contender; readonly check: string; readonly interval: number }
export type Trial = { readonly verdictMs: number; readonly movedMs: number }

const vip = '172.16.80.100'
export const priorities = { better: 150, heir: 100 }

export const configuration = (
  priority: number,
  { check, interval }: Pick<Case, 'check' | 'interval'>,
  advertInt = 0.1,
): string => `global_defs {
  script_user root
}
vrrp_script httpd {
  ${check}
  interval ${interval}
  fall 2
}
vrrp_instance V {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int ${advertInt}
  track_script {
    httpd
  }
  virtual_ipaddress {
    ${vip}/24
  }
}
`

export async function failover({ n }: Options): Promise<Row[]> {
  const keepalived = keepalivedContender('keepalived')
  const killall = 'script "/usr/bin/killall -0 httpd"'
  const cases: readonly Case[] = [
    { contender: vipdContender, check: 'probe tcp 127.0.0.1:80', interval: 0.1 },
    { contender: vipdContender, check: 'probe http http://127.0.0.1/', interval: 0.1 },
    { contender: vipdContender, check: killall, interval: 0.1 },
    { contender: vipdContender, check: 'script "/usr/bin/killall -q -0 httpd"', interval: 0.1 },
    ...(keepalived === null ? [] : [{ contender: keepalived, check: killall, interval: 1 }]),
  ]
  const rows: Row[] = []
  for (const one of cases) rows.push(rowOf(one, await trials(one, n)))
  return rows
}

function rowOf({ contender, check, interval }: Case, all: readonly Trial[]): Row {
  const verdict = summarise(all.map(({ verdictMs }) => verdictMs))
  const moved = summarise(all.map(({ movedMs }) => movedMs))
  return {
    daemon: contender.name,
    check: check.replaceAll('"', ''),
    'interval s': interval,
    n: all.length,
    'given up p50 ms': verdict?.p50.toFixed(0) ?? '-',
    'max ms': verdict?.max.toFixed(0) ?? '-',
    'on the peer p50 ms': moved?.p50.toFixed(0) ?? '-',
    'peer max ms': moved?.max.toFixed(0) ?? '-',
  }
}

async function trials(one: Case, n: number): Promise<readonly Trial[]> {
  const lab = await openLab({ name: 'checks' })
  try {
    const host = (name: string, last: number) =>
      lab.host(name, { addresses: { eth0: [`172.16.80.${last}/24`] } })
    const better = await host('better', 2)
    const heir = await host('heir', 3)
    const wire = await lab.capture({ filter: 'ip proto 112 or arp' })
    const mac = lab.mac(heir)
    let httpd = await serveWeb(better)
    await serveWeb(heir)
    one.contender.start(better, configuration(priorities.better, one))
    one.contender.start(heir, configuration(priorities.heir, one))
    const all: Trial[] = []
    for (let i = 0; i < n; i++) {
      await settled(wire)
      // The death lies anywhere between two looks.
      await delay(1_000 * one.interval * Math.random())
      all.push(await trial(wire, mac, httpd))
      httpd = await serveWeb(better)
    }
    return all
  } finally {
    await lab.close()
  }
}

/** Resolves when the better one has led for so many adverts. */
export async function settled(wire: Capture, adverts = 15): Promise<void> {
  let inARow = 0
  await wire.advert(
    'the better one leads',
    30_000,
    (advert) => {
      inARow = advert.priority === priorities.better ? inARow + 1 : 0
      return inARow >= adverts
    },
    wire.mark,
  )
}

export async function trial(wire: Capture, mac: string, httpd: Child): Promise<Trial> {
  const from = wire.mark
  const at = nowMs()
  await httpd.signal('SIGKILL')
  const resigned = await wire.advert('it resigns', 20_000, ({ priority }) => priority === 0, from)
  const announced = await wire.frames.next(
    'the peer announces the address',
    20_000,
    (f) => f.kind === 'arp' && f.gratuitous && f.target === vip && senderOf(f.bytes) === mac,
    from,
  )
  return { verdictMs: resigned.atMs - at, movedMs: announced.atMs - at }
}
