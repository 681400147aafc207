/** What goes with the status of the other tests: its configuration and its host. */
import type {
  MibHost,
  MibInstance,
  MibScripts,
  MibSettings,
  MibTrackedLists,
} from '../../../../src/report/mib.ts'
import type { Mib } from '../../../../src/surfaces/snmp/tables.ts'
import type { Value } from '../../../../src/wire/agentx-parts.ts'
import { compareOids, oid } from '../../../../src/wire/oid.ts'

const noScripts: MibScripts = {
  ...{ master: null, backup: null, fault: null, stop: null },
  ...{ any: null, lowerPriority: null, deleted: null },
}
const nothingTracked: MibTrackedLists = {
  ...{ interfaces: [], scripts: [], files: [], processes: [], bfd: [] },
}

export const aMibInstance: MibInstance = {
  name: 'VI_web',
  vrid: 51,
  version: 3,
  family: 4,
  interface: 'eth0',
  initialMaster: true,
  trackPrimary: true,
  preempt: true,
  preemptDelay: 0,
  authentication: 'none',
  group: 'VG',
  mail: true,
  notify: { ...noScripts, master: "'/bin/m' 'x'" },
  accept: true,
  promoteSecondaries: false,
  saysDeleted: false,
  multicastGroup: '224.0.0.18',
  v3ChecksumAsV2: false,
  virtualMac: false,
  tracked: {
    ...nothingTracked,
    scripts: [{ name: 'chk_haproxy', weight: -20, reverse: false }],
    interfaces: [{ name: 'eth1', weight: 5, reverse: true }],
  },
  addresses: [
    { broadcast: '10.0.0.255', scope: 0, label: 'eth0:1', peer: null },
    { broadcast: null, scope: 253, label: null, peer: '10.0.0.102' },
  ],
}

export const mibInstances: readonly MibInstance[] = [
  aMibInstance,
  {
    ...aMibInstance,
    name: 'VI_db',
    vrid: 52,
    interface: 'eth1',
    initialMaster: false,
    group: null,
    mail: false,
    notify: noScripts,
    multicastGroup: null,
    virtualMac: true,
    tracked: { ...nothingTracked, bfd: [{ name: 'gw', weight: 2, reverse: false }] },
    addresses: [{ broadcast: null, scope: 0, label: null, peer: null }],
  },
]

export const mibSettings: MibSettings = {
  routerId: 'lb1',
  netNamespace: '',
  dynamicInterfaces: false,
  mail: null,
  mailOfFaults: true,
  scripts: [
    {
      ...{ name: 'chk_haproxy', check: 'chk_haproxy', weight: -20, reverse: false },
      ...{ command: null, path: null, rise: 2, fall: 3 },
      ...{ intervalUs: 1_500_000, timeoutUs: 0 },
    },
  ],
  files: [],
  processes: [],
  bfd: [{ name: 'gw', weight: 0, reverse: false }],
  groups: [
    {
      ...{ name: 'VG', mail: false, notify: noScripts, trackingWeight: false },
      tracked: nothingTracked,
    },
  ],
}

export const mibHost: MibHost = {
  links: [
    { name: 'eth1', ifindex: 3, mac: '02:00:00:00:00:03' },
    { name: 'eth0', ifindex: 2, mac: '02:00:00:00:00:02' },
  ],
  sources: { VI_web: '10.0.0.1', VI_db: '10.0.1.1' },
}

/** As snmpwalk shows a value, about. */
export function shown(value: Value): string {
  switch (value.type) {
    case 'octets': {
      const text = new TextDecoder('latin1').decode(value.value)
      return /^[ -~]*$/.test(text)
        ? `STRING "${text}"`
        : `HEX ${[...value.value].map((octet) => octet.toString(16).padStart(2, '0')).join(' ')}`
    }
    case 'ipAddress':
    case 'opaque':
      return `${value.type} ${value.value.join('.')}`
    case 'oid':
      return `oid ${value.value.join('.')}`
    case 'integer':
    case 'counter32':
    case 'gauge32':
    case 'timeTicks':
    case 'counter64':
      return `${value.type} ${value.value}`
    default:
      return value.type
  }
}

/** All of a subtree, by one next after the other: `NAME VALUE` without the subtree in front. */
export function walk(mib: Mib, subtree: string): readonly string[] {
  const root = oid(subtree)
  const end = [...root.slice(0, -1), (root.at(-1) ?? 0) + 1]
  const lines: string[] = []
  let start = root
  for (;;) {
    const { name, value } = mib.next({ start, include: false, end })
    if (value.type === 'endOfMibView') return lines
    if (compareOids(name, start) <= 0) throw new Error(`${name.join('.')} does not come later`)
    lines.push(`${name.slice(root.length).join('.')} ${shown(value)}`)
    start = [...name]
  }
}
