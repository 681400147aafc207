/** What is shown as lines of text: warnings, BFD sessions, transitions and claims of other machines. */
import type { Finding, Pair } from '../../report/pair.ts'
import type { PastClaim } from '../../report/past-claim.ts'
import type { Status, StatusBfd, StatusInstance } from '../../report/status.ts'
import { byId, el, Keyed, say, show } from './dom.ts'
import { ageOf, hostNow, type View } from './view.ts'
import { clockText, count, measuredText, spanText } from './words.ts'

const eventsMost = 50

type Event = {
  /** Of one instance no two have the same. */
  readonly key: string
  readonly at: string
  readonly instance: string
  readonly text: string
}

type Shown = Pick<Finding, 'severity' | 'text'>

/** The worst first: of the pair, then of this host. */
export function makeFindings(): (status: Status, pair: Pair | null) => void {
  const shown = new Keyed<Shown>(
    byId('findings'),
    ({ text }) => text,
    () => {
      const root = el('p', { class: 'finding' })
      return {
        root,
        update: ({ severity, text }) => {
          root.className = `finding ${severity}`
          say(root, text)
        },
      }
    },
  )
  const order = ['alarm', 'warning', 'note']
  return ({ warnings }, pair) => {
    const own = warnings.map((text): Shown => ({ severity: 'warning', text }))
    const all = new Map([...(pair?.findings ?? []), ...own].map((it) => [it.text, it]))
    shown.set(
      [...all.values()].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)),
    )
  }
}

export function makeBfd(view: View): (status: Status) => void {
  const section = byId('bfd')
  const list = el('ul', {})
  section.append(list)
  const shown = new Keyed<StatusBfd>(
    list,
    ({ name }) => name,
    () => {
      const root = el('li', {})
      return { root, update: (it) => say(root, bfdText(view, it)) }
    },
  )
  return ({ bfd }) => {
    show(section, bfd.length > 0)
    shown.set(bfd)
  }
}

function bfdText(view: View, it: StatusBfd): string {
  const margin =
    it.detectionMs === null
      ? 'nothing is awaited'
      : `longest pause ${measuredText(it.longestGapMs)} of ${measuredText(it.detectionMs)}`
  const trouble = [it.failure, it.sendError, it.remoteState === null ? 'not heard' : null]
  const said = trouble.flatMap((text) => text ?? [])
  const used = it.usedBy.length === 0 ? '' : `; tracked by ${it.usedBy.join(', ')}`
  return `${it.name} to ${it.neighbor}: ${it.state} for ${spanText(it.sinceMs + ageOf(view))}, ${margin}${said.length === 0 ? '' : ` (${said.join('; ')})`}${used}`
}

/** The latest of all instances, as text: what the strips show, for readers who cannot see or hover. */
export function makeEvents(view: View): (status: Status) => void {
  const section = byId('events')
  const list = el('ol', { class: 'events' })
  section.append(list)
  const shown = new Keyed<Event>(
    list,
    ({ instance, key }) => `${key} ${instance}`,
    () => {
      const [time, who, what] = [el('time', {}), el('b', {}), el('span', {})]
      return {
        root: el('li', {}, time, who, what),
        update: ({ at, instance, text }) => {
          time.dateTime = at
          say(time, clockText(Date.parse(at), hostNow(view)))
          say(who, instance)
          say(what, text)
        },
      }
    },
  )
  return ({ instances }) => {
    const all = instances
      .flatMap((it) => eventsOf(it, hostNow(view)))
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
      .slice(0, eventsMost)
    show(section, all.length > 0)
    shown.set(all)
  }
}

/** Transitions, and other machines that claimed an address. */
function eventsOf(one: StatusInstance, nowMs: number): readonly Event[] {
  const { name, transitions, history, claims } = one
  const moves = history.slice(-eventsMost).map(({ at, from, to, why, cause }, i, { length }) => ({
    ...{ key: String(transitions - length + i), at, instance: name },
    text: `${from} → ${to}: ${why} (${cause})`,
  }))
  const claimed = claims.history.map((it) => ({
    ...{ key: `${it.at} ${it.address} ${it.mac}`, at: it.at, instance: name },
    text: claimText(it, nowMs),
  }))
  return [...moves, ...claimed]
}

function claimText(it: PastClaim, nowMs: number): string {
  const who = it.mac ?? 'more machines than are named'
  const same = it.sameMac ? ', with the MAC address of this host' : ''
  const last = clockText(Date.parse(it.lastAt), nowMs)
  const answer = it.announced === 0 ? '' : `, announced ${count(it.announced, 'time')}`
  return `${it.address} claimed by ${who} on ${it.interface} (${it.how}${same}): ${count(it.count, 'frame')}, last ${last}${answer}`
}
