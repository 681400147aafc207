/** A pair with many virtual routers on as many links as that needs, for the benches that look at scale. */
import type { Daemon, DaemonKind } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { startKeepalived } from '../src/lab/keepalived.ts'
import type { Lab } from '../src/lab/lab.ts'
import { startVipd } from '../src/lab/vipd.ts'

/** Of 255 on a link. */
const vridsPerLink = 250

export type Size = {
  readonly instances: number
  /** Of each instance. */
  readonly addresses: number
  /** Seconds. */
  readonly advertInt: number
}

export const linkOf = (instance: number): number => Math.floor(instance / vridsPerLink)
export const vridOf = (instance: number): number => (instance % vridsPerLink) + 1
export const linksOf = ({ instances }: Size): number => linkOf(instances - 1) + 1
export const segment = (link: number): string => `eth${link}`

/** Unique in all segments: 10.128.0.0 and on. */
export function vipOf(instance: number, address: number, { addresses }: Size): string {
  const n = instance * addresses + address
  return `10.${128 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
}

export function manyInstances(priority: number, size: Size): string {
  const instances = Array.from({ length: size.instances }, (_, i) => {
    const vips = Array.from({ length: size.addresses }, (_, a) => `${vipOf(i, a, size)}/32`)
    return `vrrp_instance VI_${i} {
  interface ${segment(linkOf(i))}
  virtual_router_id ${vridOf(i)}
  version 3
  priority ${priority}
  advert_int ${size.advertInt}
  virtual_ipaddress {
    ${vips.join('\n    ')}
  }
}`
  })
  return `${instances.join('\n')}\n`
}

/** A host with an address on every link; `n`: its last octet. */
export function hostOn(lab: Lab, name: string, n: number, size: Size): Promise<Host> {
  const addresses = Object.fromEntries(
    Array.from({ length: linksOf(size) }, (_, i) => [segment(i), [`172.16.${80 + i}.${n}/24`]]),
  )
  return lab.host(name, { addresses })
}

/** A yardstick that is busy writing log lines to us would measure us: keepalived logs as it does by itself. */
export const startLogging = (kind: DaemonKind, host: Host, text: string): Daemon =>
  kind === 'vipd' ? startVipd(host, text) : startKeepalived(host, text, { usualLog: true })

/** How many of the addresses the host has: what both daemons are asked by. */
export async function held(host: Host): Promise<number> {
  const all = [...(await host.addresses()).values()].flat()
  return all.filter((address) => /^10\..*\/32$/.test(address)).length
}
