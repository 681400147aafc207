/** The links that vipd makes, joined to the daemon's other parts (kernel/virtual-links.ts). */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { macText } from '../base/mac.ts'
import type { VirtualLink } from '../base/virtual-link.ts'
import type { Instance } from '../config/types.ts'
import type { Engine } from '../engine/contract.ts'
import { Errands } from '../kernel/errands.ts'
import { linkMark, type OwnedLink } from '../kernel/marks.ts'
import type { Kernel } from '../kernel/mirror.ts'
import type { Ownership } from '../kernel/record.ts'
import type { Ipv6Settings } from '../kernel/virtual-link-shape.ts'
import { VirtualLinks } from '../kernel/virtual-links.ts'
import { request } from './request.ts'

/** The thread is started for it, which takes a slow machine more than a second. */
const settingsMs = 3_000

export function openVirtualLinks(ports: {
  readonly kernel: Kernel
  readonly engine: Pick<Engine, 'request'>
  readonly log: Log
  readonly ownership: Ownership
  /** Has the mirror read that link. Rejects with OpError. */
  read(ifindex: number): Promise<void>
  onChange(names: ReadonlySet<string>): void
  onContested(name: string): void
}): VirtualLinks {
  const { kernel, engine, log, ownership, read, onChange, onContested } = ports
  const errands = new Errands()
  return new VirtualLinks({
    kernel,
    log,
    request: (bytes) => request(engine, bytes),
    read,
    record: (links) => ownership.record('links', links),
    setIpv6: (name, settings) => setIpv6(errands, name, settings),
    onChange,
    onContested,
  })
}

/** All of several instances; of one that is altered the later one counts. */
export const linksOf = (instances: readonly Instance[]): readonly VirtualLink[] =>
  instances.flatMap(({ virtualLinks }) => virtualLinks)

/** A link that vipd made is there. */
export function isStanding({ name, mac }: OwnedLink, kernel: Kernel): boolean {
  const link = kernel.linkByName(name)
  if (link?.alias !== linkMark) return false
  return mac === null || (link.mac !== null && macText(link.mac) === mac)
}

async function setIpv6(
  errands: Errands,
  link: string,
  settings: Ipv6Settings,
): Promise<string | null> {
  try {
    await errands.run(
      { kind: 'ipv6-settings', link, settings: Object.entries(settings) },
      settingsMs,
    )
    return null
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    const hint = ['EROFS', 'EACCES', 'EPERM'].includes(error.code)
      ? '; in a systemd unit ReadWritePaths=/proc/sys/net/ipv6/conf allows for it, beside ProtectKernelTunables'
      : ''
    return `${error.message}${hint}`
  }
}
