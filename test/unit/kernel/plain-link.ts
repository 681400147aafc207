/** A link as the kernel shows it: eth0, up, and nothing else about it. */
import type { Link } from '../../../src/wire/rtnetlink-link.ts'

export const plainLink: Link = {
  ifindex: 2,
  name: 'eth0',
  up: true,
  running: true,
  lowerUp: true,
  loopback: false,
  multicast: true,
  noarp: false,
  mac: null,
  mtu: 1500,
  operstate: 6,
  master: null,
  parent: null,
  linkKind: null,
  vrfTable: null,
  macvlanMode: null,
  ipvlan: null,
  alias: null,
  ipv4: null,
}
