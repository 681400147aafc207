/** Routes and rules of a host as `ip -j` shows them, for a comparison of two daemons. */
import type { Host } from '../../src/lab/host.ts'
import { until } from '../../src/lab/wait.ts'

type Json = Readonly<Record<string, unknown>>

/** Of one protocol, without it, in a steady order. */
export async function routingState(host: Host, protocol: string): Promise<readonly string[]> {
  const ask = async (...words: string[]) =>
    JSON.parse((await host.must('ip', ['-j', '-d', '-N', ...words])) || '[]') as Json[]
  const shown = [
    ...(await ask('-4', 'route', 'show', 'table', 'all')),
    ...(await ask('-6', 'route', 'show', 'table', 'all')),
    ...(await ask('-4', 'rule', 'show')),
    ...(await ask('-6', 'rule', 'show')),
  ]
  return shown
    .filter((it) => String(it['protocol']) === protocol)
    .map(({ protocol: _, cache: __, flags: ___, ...it }) => JSON.stringify(it))
    .sort()
}

const soonMs = 30_000

/** `ip monitor` of a host, from when it hears until `told` is asked. */
export async function monitorKernel(host: Host) {
  const what = ['address', 'route', 'rule']
  const monitor = host.spawn('ip', ['monitor', ...what], { name: 'monitor' })
  const mark = (last: number) =>
    until(`the monitor hears of 203.0.113.${last}`, soonMs, async () => {
      const to = `203.0.113.${last} dev eth0`
      await host.sh(`ip route add ${to} && ip route del ${to}`)
      return monitor.text.includes(`203.0.113.${last}`)
    })
  await mark(1)
  return {
    /** Its lines, without the marks. */
    told: async (): Promise<readonly string[]> => {
      await mark(2)
      return monitor.text.split('\n').filter((it) => !it.includes('203.0.113.'))
    },
  }
}
