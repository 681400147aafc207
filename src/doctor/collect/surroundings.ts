/** What else runs the host: control groups, systemd, its managers of interfaces, the kernel's modules. */
import { release } from 'node:os'
import { dirname, join } from 'node:path'
import type { HostFact, LinkFact } from '../facts.ts'
import { findProgram, namesIn, readText, runProgram } from './read.ts'

const groups = '/sys/fs/cgroup'

const groupOf = (pid: number): string | null =>
  /^0::(.*)$/m.exec(readText(`/proc/${pid}/cgroup`) ?? '')?.[1] ?? null

/** The smallest on the way up; null: none. */
export function memoryLimit(pid: number): number | null {
  const limits: number[] = []
  for (let path = groupOf(pid) ?? '/'; ; path = dirname(path)) {
    const limit = Number(readText(join(groups, path, 'memory.max')) ?? Number.NaN)
    if (Number.isInteger(limit)) limits.push(limit)
    if (path === '/' || path === '.') break
  }
  return limits.length === 0 ? null : Math.min(...limits)
}

export const swapKib = (): number | null => {
  const total = /^SwapTotal:\s*(\d+)/m.exec(readText('/proc/meminfo') ?? '')?.[1]
  return total === undefined ? null : Number(total)
}

export function readUnit(pid: number): HostFact['unit'] {
  const name = /([^/]+\.service)/.exec(groupOf(pid) ?? '')?.[1]
  if (name === undefined) return null
  const properties = ['Restart', 'WatchdogUSec', 'ExecStopPost'].flatMap((it) => ['-p', it])
  const ran = runProgram('systemctl', ['show', name, ...properties])
  if ('why' in ran) return null
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(ran.output)?.[1] ?? ''
  return {
    name,
    restart: value('Restart'),
    watchdog: !['', '0', 'infinity'].includes(value('WatchdogUSec')),
    cleansUp: value('ExecStopPost').includes('cleanup'),
  }
}

/** Or why it cannot be told. */
export function clockSynchronised(): boolean | string {
  const ran = runProgram('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'])
  if ('output' in ran) return ran.output.trim() === 'yes'
  return readText('/run/systemd/timesync/synchronized') !== null ? true : ran.why
}

/** null: nothing tells. */
export function hasModule(name: string): boolean | null {
  if (namesIn('/sys/module').includes(name)) return true
  const modules = join('/lib/modules', release())
  const lists = ['modules.builtin', 'modules.dep'].map((list) => readText(join(modules, list)))
  if (lists.some((text) => text?.includes(`/${name}.ko`))) return true
  return lists.every((text) => text !== null) ? false : null
}

export const hasNft = (): boolean => findProgram('nft') !== null

export function sysctlsReadOnly(): boolean {
  const mounts = (readText('/proc/self/mounts') ?? '').split('\n').map((row) => row.split(' '))
  const covering = mounts.findLast(([, at]) => at === '/proc/sys' || at === '/proc')
  return covering?.[3]?.split(',').includes('ro') ?? false
}

const runs = (name: string): boolean =>
  namesIn('/proc').some(
    (pid) => /^\d+$/.test(pid) && readText(`/proc/${pid}/comm`)?.trim() === name,
  )

const settingsOf = (file: string, directories: readonly string[]): readonly string[] => {
  const dropIns = directories.flatMap((directory) =>
    namesIn(directory)
      .filter((name) => name.endsWith('.conf'))
      .map((name) => join(directory, name)),
  )
  return [file, ...dropIns].flatMap((path) => readText(path) ?? [])
}

export function readNetworkd(links: readonly LinkFact[]): HostFact['networkd'] {
  // The kernel cuts the name.
  if (!runs('systemd-network')) return null
  const removes = links.flatMap(({ name }) => {
    const state = readText(`/run/systemd/netif/links/${indexOf(name)}`) ?? ''
    const file = /^NETWORK_FILE=(.+)$/m.exec(state)?.[1]
    if (file === undefined) return []
    const dropIns = ['/etc', '/run', '/usr/lib'].map(
      (root) => `${root}/systemd/network/${file.split('/').at(-1)}.d`,
    )
    const keeps = settingsOf(file, dropIns).some((text) =>
      /^KeepConfiguration=(yes|static|true|1|on)\s*$/m.test(text),
    )
    return keeps ? [] : [{ interface: name, file }]
  })
  const global = settingsOf('/etc/systemd/networkd.conf', [
    '/etc/systemd/networkd.conf.d',
    '/run/systemd/networkd.conf.d',
    '/usr/lib/systemd/networkd.conf.d',
  ]).join('\n')
  const kept = (key: string) => new RegExp(`^${key}=(no|false|0|off)\\s*$`, 'm').test(global)
  return {
    removes,
    managesRoutes: !kept('ManageForeignRoutes') || !kept('ManageForeignRoutingPolicyRules'),
  }
}

/** Interfaces that it manages. */
export const readNetworkManager = (links: readonly LinkFact[]): readonly string[] =>
  runs('NetworkManager')
    ? links.flatMap(({ name }) => {
        const state = readText(`/run/NetworkManager/devices/${indexOf(name)}`) ?? ''
        return /^managed=(1|true|full)$/m.test(state) ? [name] : []
      })
    : []

const indexOf = (link: string): string =>
  readText(`/sys/class/net/${link}/ifindex`)?.trim() ?? 'unknown'
