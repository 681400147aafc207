/** Words that the dump files share: addresses, commands, trackers, instants. */
import type { DumpAddress, DumpScript, DumpTracked } from '../../report/dump.ts'

export const yesNo = (value: boolean): string => (value ? 'yes' : 'no')
export const onOff = (value: boolean): string => (value ? 'enabled' : 'disabled')

/** `10.77.0.100/24 dev eth0 scope global label eth0:1 set`: single spaces, for exporters split at them. */
export function addressText(it: DumpAddress): string {
  const length = it.prefixLength === null ? '' : `/${it.prefixLength}`
  return [
    `${it.address}${length}`,
    ...(it.broadcast === null ? [] : [`brd ${it.broadcast}`]),
    `dev ${it.interface}`,
    `scope ${it.scope}`,
    ...(it.label === null ? [] : [`label ${it.label}`]),
    ...preferred(it.preferred),
    ...(it.set ? ['set'] : []),
  ].join(' ')
}

function preferred(lifetime: DumpAddress['preferred']): readonly string[] {
  if (lifetime === null) return []
  return lifetime === 0 ? ['deprecated'] : [`preferred_lft ${lifetime}`]
}

export const quoted = (argv: readonly string[]): string => argv.map((word) => `'${word}'`).join(' ')

export const scriptText = ({ argv, uid, gid }: DumpScript): string =>
  `${quoted(argv)}, uid:gid ${uid}:${gid}`

export const weightText = ({ weight, reverse }: DumpTracked): string =>
  `weight ${weight}${reverse ? ' reverse' : ''}`

/** `1795786080.505000 (Fri Nov 27 13:28:00.505000 2026)`, local time. */
export function instantText(ms: number): string {
  const at = new Date(ms)
  const micros = String(Math.floor(ms % 1_000))
    .padStart(3, '0')
    .padEnd(6, '0')
  const two = (n: number) => String(n).padStart(2, '0')
  const days = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ')
  const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
  const day = `${days[at.getDay()]} ${months[at.getMonth()]} ${String(at.getDate()).padStart(2)}`
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${micros}`
  return `${Math.floor(ms / 1_000)}.${micros} (${day} ${time} ${at.getFullYear()})`
}
