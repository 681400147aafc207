/** The same checks as scripts under keepalived and under vipd: what a host pays for them. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { keepalivedContender, vipdContender } from '../src/bench/contender.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { serveWeb } from '../src/lab/serving.ts'
import { familyOf } from '../src/lab/trial.ts'
import { until } from '../src/lab/wait.ts'
import type { Options } from './checks-cost.ts'

type Row = Readonly<Record<string, string | number>>

const count = 50
/** keepalived 2.2.7 takes whole seconds. */
const intervalSeconds = 1
const inProcess = 'killall -0 httpd'
/** The same question in words that vipd does not know: it forks as keepalived does. */
const forks = 'killall -q -0 httpd'

const configuration = (script: string): string => `global_defs {
  script_user root
}
${Array.from({ length: count }, (_, i) => `vrrp_script c${i} {\n  script "/usr/bin/${script}"\n  interval ${intervalSeconds}\n}`).join('\n')}
vrrp_instance V {
  interface eth0
  virtual_router_id 51
  version 3
  priority 100
  advert_int 1
  track_script {
${Array.from({ length: count }, (_, i) => `    c${i}`).join('\n')}
  }
  virtual_ipaddress {
    172.16.80.100/24
  }
}
`

export async function scripts({ seconds }: Options): Promise<Row[]> {
  const keepalived = keepalivedContender('keepalived')
  const cases = [
    ...(keepalived === null ? [] : [{ contender: keepalived, script: inProcess }]),
    { contender: vipdContender, script: forks },
    { contender: vipdContender, script: inProcess },
  ]
  const rows: Row[] = []
  for (const { contender, script } of cases) {
    const lab = await openLab({ name: 'checks' })
    try {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      await serveWeb(host)
      const daemon = contender.start(host, configuration(script))
      await until('the address is there', 20_000, () => holds(host), 50)
      await delay(2_000)
      const before = cpuOf(await daemon.child.pid())
      await delay(4 * seconds * 1_000)
      const cpu = cpuOf(await daemon.child.pid()) - before
      const probes = (4 * seconds * count) / intervalSeconds
      rows.push({
        daemon: contender.name,
        script,
        'checks, each every second': count,
        'CPU %': ((100 * cpu) / (4 * seconds)).toFixed(1),
        'ms CPU/probe': ((1_000 * cpu) / probes).toFixed(3),
      })
    } finally {
      await lab.close()
    }
  }
  return rows
}

const holds = async (host: Host): Promise<boolean> =>
  (await host.run('ip', ['-o', 'addr', 'show', 'dev', 'eth0'])).stdout.includes('172.16.80.100')

/** Seconds of a daemon, its processes, and what of them has ended. */
function cpuOf(root: number | null): number {
  const ticks = familyOf(root).map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i] ?? 0), 0)
  })
  return ticks.reduce((sum, n) => sum + n, 0) / 100
}
