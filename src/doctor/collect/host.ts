/** All that the host tells, part by part: what hangs takes nothing of what was read before along. */
import { release } from 'node:os'
import { enterNetwork, namespacePath } from '../../addon/surroundings.ts'
import type { HostFact, LinkFact, Unseen } from '../facts.ts'
import { readLinks } from './links.ts'
import { askNeighbours } from './neighbours.ts'
import { ownCapabilities, readKeepalived, readProcess, wardenLaterMs } from './processes.ts'
import type { HostRequest } from './protocol.ts'
import { namesIn, readText, runForJson } from './read.ts'
import {
  clockSynchronised,
  hasModule,
  hasNft,
  memoryLimit,
  readNetworkd,
  readNetworkManager,
  readUnit,
  swapKib,
  sysctlsReadOnly,
} from './surroundings.ts'

type Say = (host: Partial<HostFact>) => void
type Miss = (unseen: Unseen) => void

export async function collectHost(request: HostRequest, say: Say, miss: Miss): Promise<void> {
  const { namespace, neighbours, clock } = request
  if (namespace !== null) {
    const refused = enterNetwork(namespacePath(namespace))
    // What follows would be about another network.
    if (refused !== null) return miss({ what: `network namespace ${namespace}`, why: refused })
  }
  const own = ownCapabilities()
  say({ uid: process.geteuid?.() ?? 0, ownCapabilities: own })
  if (own === null) miss({ what: 'processes, rights and sysctls', why: '/proc cannot be read' })
  const links = readLinks()
  if (typeof links === 'string') miss({ what: 'interfaces', why: links })
  else say({ links, networkd: readNetworkd(links), networkManager: readNetworkManager(links) })
  say({ sysctls: readSysctls(typeof links === 'string' ? [] : links) })
  say({ hasMacvlan: hasModule('macvlan'), hasIpvlan: hasModule('ipvlan') })
  say({ hasNft: hasNft(), kernelRelease: release(), sysctlsReadOnly: sysctlsReadOnly() })
  readRuleset(say, miss)
  readDaemon(request.pid, say, miss)
  if (clock) {
    const synchronised = clockSynchronised()
    if (typeof synchronised === 'boolean') say({ clockSynchronised: synchronised })
    else miss({ what: 'whether the clock is synchronised', why: synchronised })
  }
  say({ neighbours: await askNeighbours(neighbours) })
  say({ keepalived: readKeepalived() })
}

const v4 = ['rp_filter', 'arp_ignore', 'arp_filter', 'promote_secondaries']
const v6 = ['disable_ipv6', 'accept_dad']

function readSysctls(links: readonly LinkFact[]): Readonly<Record<string, string>> {
  const names = ['all', ...links.map(({ name }) => name)]
  const paths = [
    'net/ipv4/ip_nonlocal_bind',
    'net/ipv6/ip_nonlocal_bind',
    'kernel/sched_rt_runtime_us',
    ...names.flatMap((link) => v4.map((key) => `net/ipv4/conf/${link}/${key}`)),
    ...names.flatMap((link) => v6.map((key) => `net/ipv6/conf/${link}/${key}`)),
  ]
  return Object.fromEntries(
    paths.flatMap((path) => {
      const value = readText(`/proc/sys/${path}`)
      return value === null ? [] : [[path, value.trim()]]
    }),
  )
}

function readRuleset(say: Say, miss: Miss): void {
  const ran = runForJson('nft', ['-j', 'list', 'ruleset'])
  if ('why' in ran) return miss({ what: 'the rules of nftables', why: ran.why })
  const { nftables } = ran.json as { readonly nftables?: readonly unknown[] }
  say({ ruleset: nftables ?? [] })
  const legacy = ['ip_tables_names', 'ip6_tables_names'].flatMap((name) =>
    (readText(`/proc/thread-self/net/${name}`) ?? '').split('\n').filter((it) => it !== ''),
  )
  if (legacy.length > 0)
    miss({ what: 'the rules of iptables-legacy', why: 'only those of nftables are read' })
}

function readDaemon(pid: number | null, say: Say, miss: Miss): void {
  say({ swapKib: swapKib() })
  if (pid === null || !namesIn('/proc').includes(String(pid))) return
  const process = readProcess(pid)
  if (process === null) return miss({ what: `process ${pid}`, why: '/proc cannot be read' })
  say({
    process,
    wardenLaterMs: wardenLaterMs(pid),
    memoryLimit: memoryLimit(pid),
    unit: readUnit(pid),
  })
}
