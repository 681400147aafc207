/** What is shown as lines of text: warnings, BFD sessions, transitions. */
import type { Finding, Pair } from '../../report/pair.ts'
import type { Status, StatusBfd, StatusTransition } from '../../report/status.ts'
import { byId, el, Keyed, say, show } from './dom.ts'
import { ageOf, hostNow, type View } from './view.ts'
import { clockText, measuredText, spanText } from './words.ts'

const eventsMost = 50

type Event = StatusTransition & { readonly instance: string; readonly number: number }

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

/** The latest of all instances, as text: what the strips show, for who cannot see or hover. */
export function makeEvents(view: View): (status: Status) => void {
  const section = byId('events')
  const list = el('ol', { class: 'events' })
  section.append(list)
  const shown = new Keyed<Event>(
    list,
    ({ instance, number }) => `${number} ${instance}`,
    () => {
      const [time, who, what] = [el('time', {}), el('b', {}), el('span', {})]
      return {
        root: el('li', {}, time, who, what),
        update: ({ at, instance, from, to, why, cause }) => {
          time.dateTime = at
          say(time, clockText(Date.parse(at), hostNow(view)))
          say(who, instance)
          say(what, `${from} → ${to}: ${why} (${cause})`)
        },
      }
    },
  )
  return ({ instances }) => {
    const all = instances
      .flatMap(({ name, transitions, history }) =>
        history.slice(-eventsMost).map((entry, i, { length }) => ({
          ...{ ...entry, instance: name },
          number: transitions - length + i,
        })),
      )
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
      .slice(0, eventsMost)
    show(section, all.length > 0)
    shown.set(all)
  }
}
