/** VRRP-MIB (RFC 2787): the instances of version 2. */
import { ipBytes, parseIp } from '../../base/ip.ts'
import { oid } from '../../wire/oid.ts'
import {
  macOf,
  masterAddress,
  operState,
  ownAddresses,
  primaryAddress,
  type RfcMib,
  type RouterRow,
  routerRows,
  sysUpTimeAt,
  total,
} from './rfc-values.ts'
import { type Column, scalars, table } from './tables.ts'
import { column, counter32, integer, ipAddress, ticks, truth } from './values.ts'
import { partMs, type View } from './view.ts'

const mib = oid('1.3.6.1.2.1.68')
export const rfc2787MasterColumn = [...mib, 1, 3, 1, 7] as const

const authentication = { none: 1, password: 2, ah: 3 } as const

type Globals = { readonly traps: boolean; readonly rows: readonly RouterRow[]; readonly view: View }

const operations: readonly Column<Globals>[] = [
  column(1, 'vrrpNodeVersion', () => integer(2)),
  column(2, 'vrrpNotificationCntl', ({ traps }) => truth(traps)),
]

const oper: readonly Column<RouterRow>[] = [
  column(2, 'vrrpOperVirtualMacAddr', macOf),
  column(3, 'vrrpOperState', (row) => integer(operState(row))),
  column(4, 'vrrpOperAdminState', () => integer(1)),
  column(5, 'vrrpOperPriority', ({ now }) => integer(now.basePriority)),
  column(6, 'vrrpOperIpAddrCount', (row) => integer(ownAddresses(row).length)),
  column(7, 'vrrpOperMasterIpAddr', (row) => ipAddress(masterAddress(row))),
  column(8, 'vrrpOperPrimaryIpAddr', (row) => ipAddress(primaryAddress(row))),
  column(9, 'vrrpOperAuthType', ({ config }) => integer(authentication[config.authentication])),
  column(11, 'vrrpOperAdvertisementInterval', ({ now }) =>
    integer(Math.round(now.advertIntervalMs / 1_000)),
  ),
  column(12, 'vrrpOperPreemptMode', ({ config }) => truth(config.preempt)),
  // The value of sysUpTime when it left initialize.
  column(13, 'vrrpOperVirtualRouterUpTime', (row) => {
    const ms = partMs(row)
    return ticks(ms === 0 ? 0 : sysUpTimeAt(row.clock, ms))
  }),
  column(14, 'vrrpOperProtocol', () => integer(1)),
  column(15, 'vrrpOperRowStatus', () => integer(1)),
]

const associated: readonly Column<null>[] = [column(2, 'vrrpAssoIpAddrRowStatus', () => integer(1))]

const errors: readonly Column<Globals>[] = [
  column(1, 'vrrpRouterChecksumErrors', ({ rows }) => counter32(total(rows, 'bad-checksum'))),
  column(2, 'vrrpRouterVersionErrors', ({ rows }) => counter32(total(rows, 'bad-version'))),
  column(3, 'vrrpRouterVrIdErrors', ({ view }) => counter32(view.facts.status.engine.unclaimed)),
]

const statistics: readonly Column<RouterRow>[] = [
  column(1, 'vrrpStatsBecomeMaster', ({ counts }) => counter32(counts.becameMaster)),
  column(2, 'vrrpStatsAdvertiseRcvd', ({ counts }) => counter32(counts.received)),
  column(3, 'vrrpStatsAdvertiseIntervalErrors', ({ counts }) => counter32(counts.intervalErrors)),
  column(4, 'vrrpStatsAuthFailures', ({ counts }) => counter32(counts.authFailures)),
  column(5, 'vrrpStatsIpTtlErrors', ({ counts }) => counter32(counts.ttlErrors)),
  column(6, 'vrrpStatsPriorityZeroPktsRcvd', ({ counts }) => counter32(counts.zeroReceived)),
  column(7, 'vrrpStatsPriorityZeroPktsSent', ({ counts }) => counter32(counts.zeroSent)),
  column(8, 'vrrpStatsInvalidTypePktsRcvd', ({ counts }) => counter32(counts.typeErrors)),
  column(9, 'vrrpStatsAddressListErrors', ({ counts }) => counter32(counts.addressListErrors)),
  column(10, 'vrrpStatsInvalidAuthType', ({ counts }) => counter32(counts.authTypeErrors)),
  column(11, 'vrrpStatsAuthTypeMismatch', ({ counts }) => counter32(counts.authMismatches)),
  column(12, 'vrrpStatsPacketLengthErrors', ({ counts }) => counter32(counts.lengthErrors)),
]

export const rfc2787: RfcMib = {
  subtree: mib,
  tables(view, traps) {
    const rows = routerRows(view, ({ now }) => now.version === 2)
    const indexed = rows.map((row) => ({ index: [row.ifindex, row.now.vrid], row }))
    const addresses = indexed.flatMap(({ index, row }) =>
      ownAddresses(row).flatMap((it) => {
        const ip = parseIp(it)
        return ip === null ? [] : [{ index: [...index, ...ipBytes(ip)], row: null }]
      }),
    )
    const globals = { traps, rows, view }
    return [
      scalars([...mib, 1], operations, globals),
      table([...mib, 1, 3, 1], oper, indexed),
      table([...mib, 1, 4, 1], associated, addresses),
      scalars([...mib, 2], errors, globals),
      table([...mib, 2, 4, 1], statistics, indexed),
    ]
  },
}
