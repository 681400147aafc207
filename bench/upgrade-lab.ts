/** What the benches of `vipd upgrade` have in common: how one is ordered, and what is seen of it on the wire. */
import type { Capture } from '../src/lab/capture.ts'
import type { Vipd } from '../src/lab/vipd.ts'
import { nowMs } from '../src/lab/wait.ts'
import { vip } from './one-instance.ts'

export const soonMs = 60_000
export type Role = 'master' | 'backup'
export type Row = Readonly<Record<string, string | number>>

/** No announcement some time after a transition. */
export const quiet = 'vrrp_garp_master_delay 0'

export const median = (all: readonly number[]): number =>
  all.toSorted((a, b) => a - b)[Math.floor((all.length - 1) / 2)] ?? Number.NaN

/** Throws with the end of the log when it is refused. Milliseconds. */
export async function upgraded(daemon: Vipd): Promise<number> {
  const beganMs = nowMs()
  const { status, stdout, stderr } = await daemon.ask('upgrade', '--leave-parent')
  if (status !== 0)
    throw new Error(`vipd upgrade: ${status}: ${stdout}${stderr}${daemon.child.text.slice(-4_000)}`)
  return nowMs() - beganMs
}

const otherVip = '172.16.80.101'

const compiled = (path: string): string => new URL(`../src/${path}`, import.meta.url).pathname

/**
 * The yardstick of an upgrade: as much work on this machine, and no exchange. A process is started, prepares, is passed the
 * state, and refuses it, since its file has another address. Milliseconds.
 */
export async function refusedUpgrade(daemon: Vipd, config: string): Promise<number> {
  const { host, runDir } = daemon
  const file = host.write('/run/lab/other.conf', config.replace(vip, otherVip))
  const program = host.write(
    '/run/lab/other.mjs',
    `process.argv[process.argv.indexOf('-f') + 1] = '${file}'\nawait import('${compiled('cli/run.js')}')`,
  )
  const script = `import('${compiled('control/client.js')}').then(({ requestUpgrade }) =>
    requestUpgrade('${runDir}/vipd.sock', ${JSON.stringify([process.execPath, program])}, true)).then(
      () => console.log('upgraded'), ({ message }) => console.log(message))`
  const beganMs = nowMs()
  const said = await host.must(process.execPath, ['-e', script])
  if (!said.includes('is another virtual router here')) throw new Error(`not refused: ${said}`)
  return nowMs() - beganMs
}

/** The longest silence of that sender, and what a transition would have left on the wire. */
export function onTheWire(capture: Capture, from: number, sender: string) {
  const frames = capture.frames.items.slice(from)
  const adverts = frames.filter((it) => it.kind === 'vrrp')
  const times = adverts.filter((it) => it.from === sender).map(({ atMs }) => atMs)
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at))
  return {
    adverts: times.length,
    longestGapMs: gaps.reduce((most, gap) => Math.max(most, gap), 0),
    resignations: adverts.filter((it) => it.priority === 0).length,
    ofOthers: adverts.length - times.length,
    announcements: frames.filter((it) => it.kind === 'arp' && it.gratuitous).length,
  }
}
