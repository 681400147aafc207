/** KEEPALIVED-MIB, `vrrpInstanceTable` and `vrrpAddressTable`. */
import type { MibAddress, MibScripts } from '../../report/mib.ts'
import type { StatusAddress } from '../../report/status.ts'
import { oid } from '../../wire/oid.ts'
import { type Column, type Table, table } from './tables.ts'
import { address, addressType, column, gauge, integer, noAddress, text, truth } from './values.ts'
import type { InstanceRow, View } from './view.ts'

/** VrrpState of the MIB. 4 is unknown, 6 deleted. */
export const stateNumber = (state: string): number =>
  ({ INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3, STOP: 5, STOPPED: 5 })[state] ?? 4

export const initialNumber = (isMaster: boolean): number => (isMaster ? 2 : 1)

export const hasScripts = (it: MibScripts): boolean => Object.values(it).some((one) => one !== null)

export const instanceEntry = oid('1.3.6.1.4.1.9586.100.5.2.3.1')

const authentication = { none: 0, password: 1, ah: 2 } as const

const isSet = ({ present, foreign }: StatusAddress): boolean => present && !foreign

const instanceColumns: readonly Column<InstanceRow>[] = [
  column(2, 'vrrpInstanceName', ({ config }) => text(config.name)),
  column(3, 'vrrpInstanceVirtualRouterId', ({ now }) => gauge(now.vrid)),
  column(4, 'vrrpInstanceState', ({ now }) => integer(stateNumber(now.state))),
  column(5, 'vrrpInstanceInitialState', ({ config }) =>
    integer(initialNumber(config.initialMaster)),
  ),
  column(6, 'vrrpInstanceWantedState', ({ now }) => integer(stateNumber(now.state))),
  column(7, 'vrrpInstanceBasePriority', ({ now }) => integer(now.basePriority)),
  column(8, 'vrrpInstanceEffectivePriority', ({ now }) => integer(now.effectivePriority)),
  column(9, 'vrrpInstanceVipsStatus', ({ now }) =>
    truth(now.state === 'MASTER' && now.addresses.every(isSet)),
  ),
  column(10, 'vrrpInstancePrimaryInterface', ({ now }) => text(now.interface)),
  column(11, 'vrrpInstanceTrackPrimaryIf', ({ config }) => truth(config.trackPrimary)),
  // Seconds of version 2, hundredths of version 3.
  column(12, 'vrrpInstanceAdvertisementsInt', ({ now }) =>
    gauge(Math.round(now.advertIntervalMs / (now.version === 2 ? 1_000 : 10))),
  ),
  column(13, 'vrrpInstancePreempt', ({ config }) => truth(config.preempt)),
  column(14, 'vrrpInstancePreemptDelay', ({ config }) => gauge(config.preemptDelay)),
  column(15, 'vrrpInstanceAuthType', ({ config }) =>
    integer(authentication[config.authentication]),
  ),
  column(16, 'vrrpInstanceLvsSyncDaemon', () => truth(false)),
  column(18, 'vrrpInstanceSyncGroup', ({ config }) => text(config.group)),
  column(19, 'vrrpInstanceGarpDelay', ({ now }) => gauge(now.garpDelaySeconds)),
  column(20, 'vrrpInstanceSmtpAlert', ({ config }) => truth(config.mail)),
  column(21, 'vrrpInstanceNotifyExec', ({ config }) => truth(hasScripts(config.notify))),
  column(22, 'vrrpInstanceScriptMaster', ({ config }) => text(config.notify.master)),
  column(23, 'vrrpInstanceScriptBackup', ({ config }) => text(config.notify.backup)),
  column(24, 'vrrpInstanceScriptFault', ({ config }) => text(config.notify.fault)),
  column(25, 'vrrpInstanceScriptStop', ({ config }) => text(config.notify.stop)),
  column(26, 'vrrpInstanceScript', ({ config }) => text(config.notify.any)),
  column(27, 'vrrpInstanceAccept', ({ config }) => truth(config.accept)),
  column(28, 'vrrpInstancePromoteSecondaries', ({ config }) => truth(config.promoteSecondaries)),
  column(29, 'vrrpInstanceUseLinkbeat', () => truth(false)),
  column(30, 'vrrpInstanceVrrpVersion', ({ now }) => integer(now.version)),
  column(31, 'vrrpInstanceScriptMstrRxLowerPri', ({ config }) => text(config.notify.lowerPriority)),
  column(32, 'vrrpInstanceScriptDeleted', ({ config }) => text(config.notify.deleted)),
  column(33, 'vrrpInstanceNotifyDeleted', ({ config }) => truth(config.saysDeleted)),
  column(34, 'vrrpInstanceMulticastAddressType', ({ config: { multicastGroup } }) =>
    multicastGroup === null ? null : addressType(multicastGroup),
  ),
  column(35, 'vrrpInstanceMulticastAddress', ({ config }) => address(config.multicastGroup)),
  column(36, 'vrrpInstanceV3ChecksumAsV2', ({ config }) => truth(config.v3ChecksumAsV2)),
]

export const instanceTable = ({ instances }: View): Table =>
  table(
    instanceEntry,
    instanceColumns,
    instances.map((row) => ({ index: [row.number], row })),
  )

export type AddressRow = {
  readonly now: StatusAddress
  readonly config: MibAddress
  readonly ifindex: number | null
}

/** InetScopeType of the MIB, by RT_SCOPE_*. */
const scopes: Readonly<Record<number, number>> = { 0: 14, 200: 5, 253: 2, 254: 1 }

const isIpv4 = ({ now }: AddressRow): boolean => !now.address.includes(':')

const addressColumns: readonly Column<AddressRow>[] = [
  column(2, 'vrrpAddressType', ({ now }) => addressType(now.address)),
  column(3, 'vrrpAddressValue', ({ now }) => address(now.address)),
  column(4, 'vrrpAddressBroadcast', (row) =>
    isIpv4(row) ? address(row.config.broadcast ?? noAddress[4]) : null,
  ),
  column(5, 'vrrpAddressMask', ({ now }) => gauge(now.prefixLength)),
  column(6, 'vrrpAddressScope', ({ config }) => integer(scopes[config.scope] ?? 0)),
  column(7, 'vrrpAddressIfIndex', ({ ifindex }) => (ifindex === null ? null : integer(ifindex))),
  column(8, 'vrrpAddressIfName', ({ now }) => text(now.interface === '' ? null : now.interface)),
  column(9, 'vrrpAddressIfAlias', ({ config }) => text(config.label)),
  column(10, 'vrrpAddressStatus', ({ now }) => truth(isSet(now))),
  column(11, 'vrrpAddressAdvertising', ({ now }) => truth(!now.excluded)),
  column(12, 'vrrpAddressPeer', ({ config }) => address(config.peer)),
]

export function addressTable({ instances, links }: View): Table {
  const rows = instances.flatMap(({ number, now, config }) =>
    now.addresses.flatMap((it, at) => {
      const written = config.addresses[at]
      if (written === undefined) return []
      const ifindex = links.get(it.interface)?.ifindex ?? null
      return [{ index: [number, at + 1], row: { now: it, config: written, ifindex } }]
    }),
  )
  return table(oid('1.3.6.1.4.1.9586.100.5.2.6.1'), addressColumns, rows)
}
