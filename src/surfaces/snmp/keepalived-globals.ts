/** KEEPALIVED-MIB, `global`: the settings of the daemon. */
import { oid } from '../../wire/oid.ts'
import { type Column, scalars, type Table, table } from './tables.ts'
import { address, addressType, column, gauge, integer, noAddress, text, truth } from './values.ts'
import type { View } from './view.ts'

type Row = { readonly view: View; readonly traps: boolean }

const settings = ({ view }: Row) => view.facts.settings
const mailOf = (row: Row) => settings(row).mail
/** As keepalived answers without a server. */
const serverOf = (row: Row): string => mailOf(row)?.server ?? noAddress[4]

const group = oid('1.3.6.1.4.1.9586.100.5.1')

const general: readonly Column<Row>[] = [
  column(1, 'version', ({ view }) => text(`vipd ${view.facts.status.version}`)),
  column(2, 'routerId', (row) => text(settings(row).routerId)),
  column(4, 'trapEnable', ({ traps }) => truth(traps)),
  // netlink(1): the kernel tells of its links, none is polled.
  column(5, 'linkBeat', () => integer(1)),
  column(6, 'lvsFlush', () => truth(false)),
  column(7, 'ipvs64BitStats', () => truth(false)),
  column(8, 'netNamespace', (row) => text(settings(row).netNamespace)),
  column(9, 'dbus', () => truth(false)),
  column(10, 'dynamicInterfaces', (row) => truth(settings(row).dynamicInterfaces)),
  column(11, 'lvsFlushOnStop', () => truth(false)),
]

/** A server that is written as a name has no address here: vipd asks for it when it sends. */
const mail: readonly Column<Row>[] = [
  column(1, 'smtpServerAddressType', (row) =>
    address(serverOf(row)) === null ? null : addressType(serverOf(row)),
  ),
  column(2, 'smtpServerAddress', (row) => address(serverOf(row))),
  column(3, 'smtpServerTimeout', (row) => gauge(mailOf(row)?.timeout ?? 0)),
  column(4, 'emailFrom', (row) => text(mailOf(row)?.from ?? null)),
  column(6, 'smtpServerPort', (row) => gauge(mailOf(row)?.port ?? 0)),
  column(7, 'smtpEmailFaults', (row) => truth(settings(row).mailOfFaults)),
]

const recipients: readonly Column<string>[] = [column(2, 'emailAddress', text)]

export function globalTables(view: View, traps: boolean): readonly Table[] {
  const row = { view, traps }
  const to = mailOf(row)?.to ?? []
  return [
    scalars(group, general, row),
    scalars([...group, 3], mail, row),
    table(
      [...group, 3, 5, 1],
      recipients,
      to.map((it, at) => ({ index: [at + 1], row: it })),
    ),
  ]
}
