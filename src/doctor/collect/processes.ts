/** Processes of this host: the daemon that was asked, its warden, and keepalived. */
import { basename } from 'node:path'
import type { OtherDaemon, ProcessFact } from '../facts.ts'
import { collectConfig } from './config.ts'
import { namesIn, readLink, readText } from './read.ts'

const unlimited = 1_000

const line = (text: string | null, name: string): string | null =>
  new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text ?? '')?.[1] ?? null

/** Bits that are set. */
function capabilitiesIn(status: string | null): readonly number[] | null {
  const hex = line(status, 'CapEff')
  if (hex === null) return null
  const bits = BigInt(`0x${hex}`)
  return Array.from({ length: 64 }, (_, bit) => bit).filter(
    (bit) => (bits & (1n << BigInt(bit))) !== 0n,
  )
}

/** null: it cannot be read. */
export const ownCapabilities = (): readonly number[] | null =>
  capabilitiesIn(readText('/proc/self/status'))

export function readProcess(pid: number): ProcessFact | null {
  const status = readText(`/proc/${pid}/status`)
  const capabilities = capabilitiesIn(status)
  if (capabilities === null) return null
  const limits = readText(`/proc/${pid}/limits`)
  const limit = /^Max realtime priority\s+(\S+)/m.exec(limits ?? '')?.[1] ?? '0'
  return {
    pid,
    capabilities,
    realtimeLimit: limit === 'unlimited' ? unlimited : Number(limit),
    swappedKib: Number(line(status, 'VmSwap') ?? 0),
  }
}

const processes = (): readonly number[] =>
  namesIn('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))

/** Fields of /proc/PID/stat after the name, which may have spaces: field 4 is the parent, 22 the start in ticks. */
function stat(pid: number): { readonly parent: number; readonly startedTicks: number } | null {
  const text = readText(`/proc/${pid}/stat`)
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { parent: Number(fields[1]), startedTicks: Number(fields[19]) }
}

/** USER_HZ, the same on every architecture that Node runs on. */
const ticksPerSecond = 100

/** null: there is none that can be seen. */
export function wardenLaterMs(daemon: number): number | null {
  const started = stat(daemon)?.startedTicks
  if (started === undefined) return null
  const wardens = processes().filter((pid) => {
    const program = readText(`/proc/${pid}/cmdline`)?.split('\0')[0] ?? ''
    return /warden/.test(basename(program)) && stat(pid)?.parent === daemon
  })
  const starts = wardens.flatMap((pid) => stat(pid)?.startedTicks ?? [])
  if (starts.length === 0) return null
  return ((Math.max(...starts) - started) * 1_000) / ticksPerSecond
}

/** keepalived's daemons of this network namespace, each with what its configuration has. */
export function readKeepalived(): readonly OtherDaemon[] {
  const network = readLink('/proc/thread-self/ns/net')
  const all = processes().filter(isKeepalived)
  const parents = all.filter((pid) => !all.includes(stat(pid)?.parent ?? 0))
  return parents
    .filter((pid) => {
      const its = readLink(`/proc/${pid}/ns/net`)
      return its === null || network === null || its === network
    })
    .map((pid) => ({ kind: 'keepalived', where: String(pid), instances: instancesOf(pid) }))
}

/** By its program: vipd in keepalived's place has the name, and is another. */
function isKeepalived(pid: number): boolean {
  const program = readLink(`/proc/${pid}/exe`)
  if (program !== null) return /^keepalived\b/.test(basename(program))
  return (
    readText(`/proc/${pid}/comm`)?.trim() === 'keepalived' &&
    readText(`/proc/${pid}/cmdline`) !== ''
  )
}

function instancesOf(pid: number): OtherDaemon['instances'] {
  const args = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0')
  const path = fileIn(args) ?? '/etc/keepalived/keepalived.conf'
  // Its file system may be another: a container's.
  const config = collectConfig(`/proc/${pid}/root${path}`, { configId: null, includeAll: false })
  return config.runs ? config.instances : null
}

function fileIn(args: readonly string[]): string | null {
  const at = args.findIndex((arg) => arg === '-f' || arg === '--use-file')
  if (at >= 0) return args[at + 1] ?? null
  const joined = args.find((arg) => /^(-f|--use-file=)./.test(arg))
  return joined?.replace(/^(-f|--use-file=)/, '') ?? null
}
