/**
 * The table that `vipd status` prints. It repeats what the daemon read from the kernel and the wire: who is
 * master by the last advert, addresses by what is on the interface. Ages instead of times, the reason always.
 */
import { styleText } from 'node:util'
import type { Outcome } from '../programs/outcome.ts'
import { pastClaimText } from '../report/past-claim.ts'
import type {
  Status,
  StatusBfd,
  StatusCheck,
  StatusGroup,
  StatusInstance,
  StatusLease,
} from '../report/status.ts'
import { age, type Column, printable, span, table } from './format.ts'

export type StatusView = {
  /** Milliseconds since 1970, for ages. */
  readonly now: number
  /** Characters; null: unlimited. */
  readonly width: number | null
  readonly colour: boolean
  /** With the details of every instance and check. */
  readonly full: boolean
}

type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'none'
export type Paint = (colour: Colour, text: string) => string

export function formatStatus(status: Status, view: StatusView): string {
  const paint: Paint = (colour, text) =>
    view.colour && colour !== 'none' ? styleText(colour, text, { validateStream: false }) : text
  const sections = [
    [headline(status, view.now)],
    section(status.instances, instanceColumns(paint), view.width),
    section(status.groups, groupColumns(paint), view.width),
    section(status.checks, checkColumns(paint), view.width),
    section(status.bfd, bfdColumns(paint), view.width),
    ...(view.full ? status.instances.map((i) => instanceDetails(i, view.now)) : []),
    ...(view.full ? status.checks.map(checkDetails) : []),
    ...(view.full ? [unknownVrids(status)] : []),
    warnings(status, paint),
  ]
  return `${sections.flat().join('\n')}\n`
}

const section = <Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
) => (rows.length === 0 ? [] : table(rows, columns, width))

const leaseWords: Readonly<Record<StatusLease['state'], string>> = {
  waiting: 'in force',
  answers: 'in force: the kernel answers',
  muted: 'in force: the kernel DOES NOT ANSWER, no advert leaves',
  missing: 'NOT in force',
}

const kernelLease = ({ state, leaseMs, why }: StatusLease): string =>
  `${leaseWords[state]}${leaseMs === null ? '' : `, ${span(leaseMs)} after an advert`}${why === null ? '' : `: ${why}`}`

const authentication = (of: NonNullable<StatusInstance['authentication']>): string => {
  const senders = of.senders.map(
    ({ address, skewSeconds, agoMs }) =>
      `${address} ${skewSeconds >= 0 ? '+' : ''}${skewSeconds} s (${age(agoMs)} ago)`,
  )
  if (of.mode === 'ah')
    return `AH (HMAC-MD5); verified ${of.verified}, sequence ${Number.parseInt(of.sequence, 16)}`
  return `${of.mode}, signs with key ${of.activeKey} of ${of.keys.join(', ')}; verified ${of.verified}, unsigned ${of.unsigned}; clocks: ${senders.join(', ') || 'none heard'}`
}

export function headline(status: Status, now: number): string {
  const { config, checks } = status
  const up = checks.filter((c) => c.good === true).length
  const reload = config.lastReload === 'rejected' ? `last reload REJECTED${reasonOf(config)}` : 'ok'
  const disk = diskWords(config.unchangedOnDisk)
  const loaded = age(now - Date.parse(config.loadedAt))
  const parts = [
    `vipd ${status.version} on ${status.host}, up ${age(status.uptimeMs)}`,
    `config ${config.path} ${reload}, loaded ${loaded} ago (${disk})`,
    ...(checks.length > 0 ? [`checks ${up}/${checks.length} up`] : []),
    ...upgrades(status.upgrades, now),
    ...(status.engine.realtime ? [] : ['no real-time scheduling']),
  ]
  return parts.join(' · ')
}

/** One that is under way, and what became of the last. */
function upgrades({ running, last, lastRefusal }: Status['upgrades'], now: number): string[] {
  const ago = (at: string) => `${age(now - Date.parse(at))} ago`
  const to = running?.pid ?? null
  const refused = lastRefusal !== null && (last === null || last.at < lastRefusal.at)
  return [
    ...(running === null
      ? []
      : [`upgrade${to === null ? '' : ` to process ${to}`} under way for ${age(running.sinceMs)}`]),
    ...(last === null
      ? []
      : [`upgraded ${ago(last.at)} from vipd ${last.from.version} in ${span(last.tookMs)}`]),
    ...(refused ? [`upgrade REFUSED ${ago(lastRefusal.at)} (${lastRefusal.why})`] : []),
  ]
}

function reasonOf({ lastReloadReasons: [first] }: Status['config']): string {
  return first === undefined ? '' : ` (${first})`
}

function diskWords(unchanged: Status['config']['unchangedOnDisk']): string {
  if (unchanged === 'unknown') return 'its file system does not answer'
  return unchanged ? 'unchanged on disk' : 'CHANGED on disk since'
}

const stateColour: Readonly<Record<StatusInstance['state'], Colour>> = {
  INIT: 'dim',
  BACKUP: 'none',
  MASTER: 'green',
  FAULT: 'red',
  STOP: 'dim',
}

export function instanceColumns(paint: Paint): Column<StatusInstance>[] {
  return [
    { title: 'INSTANCE', cell: (i) => i.name },
    { title: 'VRID', cell: (i) => String(i.vrid), right: true },
    { title: 'IF', cell: (i) => i.interface ?? '-' },
    {
      title: 'STATE',
      cell: (i) => i.state,
      paint: (i, text) => paint(stateColour[i.state], text),
    },
    { title: 'PRIO', cell: priority },
    { title: 'MASTER', cell: master },
    { title: 'ADV', cell: (i) => span(i.advertIntervalMs), dispensable: 2 },
    {
      title: 'DETECT',
      cell: (i) => (i.downIntervalMs === null ? '-' : span(i.downIntervalMs)),
      dispensable: 3,
    },
    { title: 'LAST-ADV', cell: lastAdvert, dispensable: 4 },
    { title: 'SINCE', cell: (i) => age(i.sinceMs) },
    { title: 'CHG', cell: (i) => String(i.transitions), right: true, dispensable: 1 },
    {
      title: 'VIPS',
      cell: (i) => `${present(i)}/${i.addresses.length}`,
      paint: (i, text) =>
        paint(i.state === 'MASTER' && present(i) < i.addresses.length ? 'red' : 'none', text),
    },
    { title: 'WHY', cell: (i) => i.why },
  ]
}

function priority({ state, basePriority, effectivePriority }: StatusInstance): string {
  if (state === 'FAULT') return '-'
  return effectivePriority === basePriority
    ? String(effectivePriority)
    : `${effectivePriority} (${basePriority})`
}

function master({ master: m }: StatusInstance): string {
  if (m === null) return '-'
  return m.self ? 'self' : `${m.address}/${m.priority}`
}

function lastAdvert(i: StatusInstance): string {
  if (i.state === 'MASTER')
    return i.lastSentAgoMs === null ? '-' : `(sent ${age(i.lastSentAgoMs)} ago)`
  return i.lastAdvertAgoMs === null ? '-' : `${age(i.lastAdvertAgoMs)} ago`
}

const present = (i: StatusInstance) => i.addresses.filter((a) => a.present).length

const groupColumns = (paint: Paint): Column<StatusGroup>[] => [
  { title: 'GROUP', cell: (g) => g.name },
  {
    title: 'STATE',
    cell: (g) => g.state,
    paint: (g, text) => paint(g.state === 'FAULT' ? 'red' : 'none', text),
  },
  { title: 'MEMBERS', cell: (g) => g.members.join(' ') },
]

export const checkColumns = (paint: Paint): Column<StatusCheck>[] => [
  { title: 'CHECK', cell: (c) => c.name },
  {
    title: 'STATE',
    cell: checkState,
    paint: (c, text) => paint(c.good === null ? 'dim' : c.good ? 'green' : 'red', text),
  },
  { title: 'SINCE', cell: (c) => (c.sinceMs === null ? '-' : age(c.sinceMs)) },
  { title: 'TOOK', cell: (c) => (c.last === null ? '-' : span(c.last.durationMs)), dispensable: 2 },
  { title: 'RUNS', cell: (c) => String(c.runs), right: true, dispensable: 3 },
  { title: 'FAILED', cell: (c) => String(c.failures), right: true, dispensable: 1 },
  { title: 'LAST', cell: (c) => (c.last === null ? '-' : outcome(c.last.outcome)) },
  { title: 'HOW', cell: (c) => c.how },
]

export const bfdColumns = (paint: Paint): Column<StatusBfd>[] => [
  { title: 'BFD', cell: (b) => b.name },
  { title: 'NEIGHBOR', cell: (b) => b.neighbor },
  {
    title: 'STATE',
    cell: (b) => (b.failure === null ? b.state : 'FAILED'),
    paint: (b, text) => paint(b.state === 'Up' && b.failure === null ? 'green' : 'red', text),
  },
  { title: 'SINCE', cell: (b) => age(b.sinceMs) },
  { title: 'TX', cell: (b) => span(b.transmitMs), dispensable: 2 },
  { title: 'DETECT', cell: (b) => (b.detectionMs === null ? '-' : span(b.detectionMs)) },
  { title: 'LONGEST-GAP', cell: longestGap, dispensable: 1 },
  { title: 'CHG', cell: (b) => String(b.transitions), right: true, dispensable: 1 },
  {
    title: 'WHY',
    cell: (b) =>
      b.failure ?? (b.remoteState === 'AdminDown' ? 'switched off there' : b.localDiagnostic),
  },
]

/** And its share of the detection time: what is left of 100 % is the margin. */
function longestGap({ longestGapMs, detectionMs }: StatusBfd): string {
  if (detectionMs === null) return span(longestGapMs)
  return `${span(longestGapMs)} (${Math.round((100 * longestGapMs) / detectionMs)}%)`
}

function checkState({ good, streak }: StatusCheck): string {
  if (good === null) return 'WAITING'
  const turning = streak > 0 ? `, ${streak} ${good ? 'bad' : 'good'}` : ''
  return `${good ? 'UP' : 'DOWN'}${turning}`
}

function outcome(o: Outcome): string {
  switch (o.kind) {
    case 'exit':
      return `exit ${o.status}`
    case 'signal':
      return o.signal
    case 'timeout':
      return `timed out after ${span(o.afterMs)}`
    case 'unable':
      return `cannot run: ${o.why}`
    case 'probe':
      return o.detail === '' ? (o.ok ? 'ok' : 'failed') : o.detail
    case 'value':
      return `holds ${o.value}`
  }
}

/** How many transitions and claims `vipd status NAME` repeats; `vipd history NAME` has them all. */
const historyShown = 10

function instanceDetails(i: StatusInstance, now: number): string[] {
  const rejects = Object.entries(i.rejects).filter(([, count]) => count > 0)
  return [
    '',
    `${i.name}: VRRP v${i.version}, IPv${i.family}`,
    `  priority    ${i.priorityArithmetic}`,
    ...i.addresses.map((a) => {
      const kind = a.excluded ? 'excluded' : 'address '
      const where = `${a.address}/${a.prefixLength} on ${a.interface}`
      return `  ${kind}    ${where}, ${a.present ? 'present' : 'absent'}`
    }),
    `  adverts     received ${i.adverts.received}, sent ${i.adverts.sent}, ${missing(i.adverts)}longest gap ${span(i.adverts.longestGapMs)}`,
    ...(i.authentication === null ? [] : [`  signed      ${authentication(i.authentication)}`]),
    ...(i.kernelLease === null ? [] : [`  lease       ${kernelLease(i.kernelLease)}`]),
    ...(i.kernelLease?.soonerTakeOvers ?? []).map((sentence) => `  sooner      ${sentence}`),
    ...(i.checksums === null
      ? []
      : [
          `  checksums   with pseudo-header ${i.checksums['pseudo-header']}, message only ${i.checksums.message}`,
        ]),
    `  priority 0  received ${i.priorityZero.received}, sent ${i.priorityZero.sent}`,
    `  rejected    ${rejects.map(([why, count]) => `${why} ${count}`).join(', ') || 'none'}`,
    ...pastOf(i)
      .slice(-historyShown)
      .map(({ at, text }) => `  ${age(now - Date.parse(at)).padStart(6)} ago  ${text}`),
  ]
}

/** Transitions, and claims of other machines, in one sequence. */
function pastOf({ history, claims }: StatusInstance) {
  const transitions = history.map(({ at, from, to, why }) => ({
    at,
    text: `${from} -> ${to}  ${printable(why)}`,
  }))
  const claimed = claims.history.map((it) => ({ at: it.at, text: printable(pastClaimText(it)) }))
  return [...transitions, ...claimed].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

function missing({ heard, missed, recent }: StatusInstance['adverts']): string {
  if (heard === 0) return ''
  const lately = `${recent.missed} of the last ${recent.heard + recent.missed}`
  return `missing ${missed} of ${heard + missed} (${lately}), `
}

function unknownVrids({ unknownVrids: heard, engine }: Status): string[] {
  if (heard.length === 0) return []
  const named = heard.map((it) => `${it.vrid} on ${it.interface} from ${it.from}`)
  return ['', `Unknown VRIDs (${engine.unclaimed} adverts): ${named.join(', ')}`]
}

function checkDetails(c: StatusCheck): string[] {
  const output = c.last?.output.trimEnd() ?? ''
  return [
    '',
    `${c.name}: ${c.how}`,
    `  used by     ${c.usedBy.join(', ') || 'nothing'}`,
    `  runs        ${c.runs}, failed ${c.failures}, timed out ${c.timeouts}, skipped while one was running ${c.overruns}`,
    ...(output === ''
      ? []
      : ['  output', ...output.split('\n').map((line) => `    ${printable(line)}`)]),
  ]
}

const warnings = (status: Status, paint: Paint) =>
  status.warnings.map((w) => paint('yellow', `WARN  ${printable(w)}`))
