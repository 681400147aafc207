/** VRRPV3-MIB (RFC 6527): all instances, those of version 2 included, as Debian's keepalived has it. */
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
  rejected,
  routerRows,
  sysUpTimeAt,
  total,
} from './rfc-values.ts'
import { type Column, scalars, table } from './tables.ts'
import { address, column, counter32, counter64, gauge, integer, ticks, truth } from './values.ts'
import { type InstanceRow, partMs, type View } from './view.ts'

const mib = oid('1.3.6.1.2.1.207')
export const rfc6527MasterColumn = [...mib, 1, 1, 1, 1, 3] as const
export const rfc6527ReasonColumn = [...mib, 1, 2, 5, 1, 2] as const

type Globals = { readonly rows: readonly RouterRow[]; readonly view: View }

const operations: readonly Column<RouterRow>[] = [
  column(3, 'vrrpv3OperationsMasterIpAddr', (row) => address(masterAddress(row))),
  column(4, 'vrrpv3OperationsPrimaryIpAddr', (row) => address(primaryAddress(row))),
  column(5, 'vrrpv3OperationsVirtualMacAddr', macOf),
  column(6, 'vrrpv3OperationsStatus', (row) => integer(operState(row))),
  column(7, 'vrrpv3OperationsPriority', ({ now }) => gauge(now.basePriority)),
  column(8, 'vrrpv3OperationsAddrCount', (row) => integer(ownAddresses(row).length)),
  column(9, 'vrrpv3OperationsAdvInterval', ({ now }) =>
    integer(Math.round(now.advertIntervalMs / 10)),
  ),
  column(10, 'vrrpv3OperationsPreemptMode', ({ config }) => truth(config.preempt)),
  column(11, 'vrrpv3OperationsAcceptMode', ({ config }) => truth(config.accept)),
  // How long ago it left initialize.
  column(12, 'vrrpv3OperationsUpTime', (row) => {
    const ms = partMs(row)
    return ticks(ms === 0 ? 0 : (ms + row.clock.age()) / 10)
  }),
  column(13, 'vrrpv3OperationsRowStatus', () => integer(1)),
]

const associated: readonly Column<null>[] = [
  column(2, 'vrrpv3AssociatedIpAddrRowStatus', () => integer(1)),
]

const errors: readonly Column<Globals>[] = [
  column(1, 'vrrpv3RouterChecksumErrors', ({ rows }) => counter64(total(rows, 'bad-checksum'))),
  column(2, 'vrrpv3RouterVersionErrors', ({ rows }) => counter64(total(rows, 'bad-version'))),
  column(3, 'vrrpv3RouterVrIdErrors', ({ view }) => counter64(view.facts.status.engine.unclaimed)),
  column(4, 'vrrpv3GlobalStatisticsDiscontinuityTime', ({ view }) => ticks(begun(view))),
]

/** sysUpTime when the counters began: with the daemon. */
const begun = ({ clock, facts }: View): number => sysUpTimeAt(clock, facts.status.uptimeMs)

/** priority(1), preempted(2), masterNoResponse(3): by the cause of a transition to master. */
export const masterReason = (cause: string | undefined): number =>
  ({ timeout: 3, preempt: 2 })[cause ?? ''] ?? 1

/** Of the last time; notMaster(0): it never was. */
function lastReason({ now }: InstanceRow): number {
  const last = now.history.findLast(({ to }) => to === 'MASTER')
  if (last !== undefined) return masterReason(last.cause)
  return now.transitionCounts.some(({ to }) => to === 'MASTER') ? masterReason(undefined) : 0
}

/** noError(0), ipTtlError(1), versionError(2), checksumError(3), vrIdError(4): that of which there were most. */
function protocolError(row: InstanceRow): number {
  const kinds = ['bad-ttl', 'bad-version', 'bad-checksum', 'bad-vrid'].map((it) =>
    rejected(row, it),
  )
  const most = Math.max(...kinds)
  return most === 0 ? 0 : kinds.indexOf(most) + 1
}

type StatisticsRow = RouterRow & { readonly view: View }

const statistics: readonly Column<StatisticsRow>[] = [
  column(1, 'vrrpv3StatisticsMasterTransitions', ({ counts }) => counter32(counts.becameMaster)),
  column(2, 'vrrpv3StatisticsNewMasterReason', (row) => integer(lastReason(row))),
  column(3, 'vrrpv3StatisticsRcvdAdvertisements', ({ counts }) => counter64(counts.received)),
  column(4, 'vrrpv3StatisticsAdvIntervalErrors', ({ counts }) => counter64(counts.intervalErrors)),
  column(5, 'vrrpv3StatisticsIpTtlErrors', ({ counts }) => counter64(counts.ttlErrors)),
  column(6, 'vrrpv3StatisticsProtoErrReason', (row) => integer(protocolError(row))),
  column(7, 'vrrpv3StatisticsRcvdPriZeroPackets', ({ counts }) => counter64(counts.zeroReceived)),
  column(8, 'vrrpv3StatisticsSentPriZeroPackets', ({ counts }) => counter64(counts.zeroSent)),
  column(9, 'vrrpv3StatisticsRcvdInvalidTypePackets', ({ counts }) => counter64(counts.typeErrors)),
  column(10, 'vrrpv3StatisticsAddressListErrors', ({ counts }) =>
    counter64(counts.addressListErrors),
  ),
  column(11, 'vrrpv3StatisticsPacketLengthErrors', ({ counts }) => counter64(counts.lengthErrors)),
  column(12, 'vrrpv3StatisticsRowDiscontinuityTime', ({ view }) => ticks(begun(view))),
  column(13, 'vrrpv3StatisticsRefreshRate', ({ now }) => gauge(now.advertIntervalMs)),
]

export const rfc6527: RfcMib = {
  subtree: mib,
  tables(view) {
    const rows = routerRows(view, () => true)
    const indexed = rows.map((row) => ({
      index: [row.ifindex, row.now.vrid, row.now.family === 4 ? 1 : 2],
      row: { ...row, view },
    }))
    // The octets of the address without their number, as keepalived has it.
    const addresses = indexed.flatMap(({ index, row }) =>
      ownAddresses(row).flatMap((it) => {
        const ip = parseIp(it)
        return ip === null ? [] : [{ index: [...index, ...ipBytes(ip)], row: null }]
      }),
    )
    return [
      table([...mib, 1, 1, 1, 1], operations, indexed),
      table([...mib, 1, 1, 2, 1], associated, addresses),
      scalars([...mib, 1, 2], errors, { rows, view }),
      table([...mib, 1, 2, 5, 1], statistics, indexed),
    ]
  },
}
