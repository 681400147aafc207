/** KEEPALIVED-MIB: scripts, files, processes and BFD sessions, and what the instances track of them. */
import type { MibFile, MibProcess, MibScript, MibTracked } from '../../report/mib.ts'
import type { StatusCheck } from '../../report/status.ts'
import { oid } from '../../wire/oid.ts'
import { instanceTracked, trackedTables } from './keepalived-tracked.ts'
import { type Column, type Table, table } from './tables.ts'
import { column, gauge, integer, text, truth } from './values.ts'
import type { View } from './view.ts'

type Checked<It> = { readonly config: It; readonly check: StatusCheck | null }

/** init(1), bad(2), good(3), initfailed(5): it cannot be run at all. */
const resultOf = ({ check }: Checked<MibScript>): number => {
  if (check === null || check.good === null) return 1
  if (check.good) return 3
  return check.last?.outcome.kind === 'unable' ? 5 : 2
}

const scriptColumns: readonly Column<Checked<MibScript>>[] = [
  column(2, 'vrrpScriptName', ({ config }) => text(config.name)),
  column(3, 'vrrpScriptCommand', ({ config, check }) => text(config.command ?? check?.how ?? null)),
  column(4, 'vrrpScriptInterval', ({ config }) => integer(Math.ceil(config.intervalUs / 1e6))),
  column(5, 'vrrpScriptWeight', ({ config }) => integer(config.weight)),
  column(6, 'vrrpScriptResult', (row) => integer(resultOf(row))),
  column(7, 'vrrpScriptRise', ({ config }) => gauge(config.rise)),
  column(8, 'vrrpScriptFall', ({ config }) => gauge(config.fall)),
  column(9, 'vrrpScriptWgtRev', ({ config }) => truth(config.reverse)),
  column(10, 'vrrpScriptPath', ({ config }) => text(config.path)),
  column(11, 'vrrpScriptIntervalUsec', ({ config }) => gauge(config.intervalUs)),
  column(12, 'vrrpScriptTimeoutUsec', ({ config }) => gauge(config.timeoutUs)),
]

/** What it holds; 0 as long as it was not read. */
const heldValue = ({ check }: Checked<MibFile>): number => {
  const outcome = check?.last?.outcome
  return outcome?.kind === 'value' ? outcome.value : 0
}

const fileColumns: readonly Column<Checked<MibFile>>[] = [
  column(2, 'vrrpFileName', ({ config }) => text(config.name)),
  column(3, 'vrrpFilePath', ({ config }) => text(config.path)),
  column(4, 'vrrpFileResult', (row) => integer(heldValue(row))),
  column(5, 'vrrpFileWeight', ({ config }) => integer(config.weight)),
  column(6, 'vrrpFileWgtRev', ({ config }) => truth(config.reverse)),
]

const matches = { any: 0, exact: 1, initial: 3, partial: 2 } as const

/** How many there were when they were counted last. */
const countOf = ({ check }: Checked<MibProcess>): number => {
  const outcome = check?.last?.outcome
  return outcome?.kind === 'probe' ? Number(/\d+/.exec(outcome.detail)?.[0] ?? 0) : 0
}

const processColumns: readonly Column<Checked<MibProcess>>[] = [
  column(2, 'vrrpProcessName', ({ config }) => text(config.name)),
  column(3, 'vrrpProcessPath', ({ config }) => text(config.process)),
  column(4, 'vrrpProcessParams', ({ config }) => text(config.parameters)),
  column(5, 'vrrpProcessParamMatch', ({ config }) => integer(matches[config.match])),
  column(6, 'vrrpProcessWeight', ({ config }) => integer(config.weight)),
  column(7, 'vrrpProcessWgtRev', ({ config }) => truth(config.reverse)),
  column(8, 'vrrpProcessQuorum', ({ config }) => gauge(config.least)),
  // −1: without a bound.
  column(9, 'vrrpProcessQuorumMax', ({ config: { most } }) =>
    integer(most >= 2 ** 31 - 1 ? -1 : most),
  ),
  column(10, 'vrrpProcessForkDelay', ({ config }) => gauge(config.gainDelayUs)),
  column(11, 'vrrpProcessTerminateDelay', ({ config }) => gauge(config.lossDelayUs)),
  column(12, 'vrrpProcessFullCommand', ({ config }) => truth(config.full)),
  column(13, 'vrrpProcessCurProc', (row) => gauge(countOf(row))),
  column(14, 'vrrpProcessResult', ({ check }) => truth(check?.good === true)),
]

type BfdRow = { readonly config: MibTracked; readonly up: boolean }

const bfdColumns: readonly Column<BfdRow>[] = [
  column(2, 'vrrpBfdName', ({ config }) => text(config.name)),
  column(3, 'vrrpBfdResult', ({ up }) => integer(up ? 1 : 0)),
  column(4, 'vrrpBfdWeight', ({ config }) => integer(config.weight)),
  column(5, 'vrrpBfdWgtRev', ({ config }) => truth(config.reverse)),
]

const numbered = <It>(rows: readonly It[]) =>
  rows.map((row, at) => ({ index: [at + 1] as const, row }))

export function trackerTables({ facts, instances }: View): readonly Table[] {
  const { status, settings } = facts
  const checks = new Map(status.checks.map((it) => [it.name, it]))
  const checked = <It extends { readonly check: string }>(all: readonly It[]) =>
    numbered(all.map((config) => ({ config, check: checks.get(config.check) ?? null })))
  const up = new Set(
    status.bfd.filter(({ state }) => state === 'Up').map(({ name }) => name.replace(/^bfd\//, '')),
  )
  const bfd = settings.bfd.map((config) => ({ config, up: up.has(config.name) }))
  return [
    table(oid('1.3.6.1.4.1.9586.100.5.2.9.1'), scriptColumns, checked(settings.scripts)),
    table(oid('1.3.6.1.4.1.9586.100.5.2.13.1'), fileColumns, checked(settings.files)),
    table(oid('1.3.6.1.4.1.9586.100.5.2.18.1'), bfdColumns, numbered(bfd)),
    table(oid('1.3.6.1.4.1.9586.100.5.2.21.1'), processColumns, checked(settings.processes)),
    ...trackedTables(
      'vrrpTracked',
      instanceTracked,
      instances.map(({ number, config }) => ({ number, tracked: config.tracked })),
    ),
  ]
}
