/** One instance: what it is, since when, why; how it came to that, and how near it was to something else. */
import type { StatusInstance } from '../../report/status.ts'
import { el, Keyed, type Shown, say, show } from './dom.ts'
import { gapStrip, stateShape, stateStrip } from './shapes.ts'
import { barsOf, closestCall, segmentsOf } from './strip.ts'
import { ageOf, hostNow, hourMs, type Side, sidesOf, type View } from './view.ts'
import { clockText, count, measuredText, spanText } from './words.ts'

export type CardActions = {
  failover(it: StatusInstance): void
  resume(it: StatusInstance): void
}

type Fact = { readonly root: HTMLElement; readonly set: (text: string, bad?: boolean) => void }

function fact(label: string): Fact {
  const value = el('dd', {})
  const root = el('div', {}, el('dt', {}, label), value)
  return {
    root,
    set: (text, bad = false) => {
      say(value, text)
      value.classList.toggle('bad', bad)
    },
  }
}

export function instanceCard(
  view: View,
  open: boolean,
  actions: CardActions,
): Shown<StatusInstance> {
  let shown: StatusInstance | null = null
  const badge = el('span', { class: 'badge' })
  const name = el('h2', {})
  const where = el('span', { class: 'where' })
  const priority = fact('Priority')
  const master = fact('Master')
  const advert = fact('Last advert / limit')
  const addresses = fact('Addresses')
  const since = fact('Since')
  const changes = fact('Changes')
  const why = el('p', { class: 'why' })
  const peers = peerLines(view)
  const details = instanceDetails(view)
  const more = el('details', {}, el('summary', {}, 'History and margins'), details.root)
  more.open = open
  more.addEventListener('toggle', () => {
    if (shown !== null && more.open) details.update(shown)
  })
  const failover = el('button', { type: 'button' }, 'Fail over …')
  const resume = el('button', { type: 'button' }, 'Resume …')
  failover.addEventListener('click', () => shown !== null && actions.failover(shown))
  resume.addEventListener('click', () => shown !== null && actions.resume(shown))
  const buttons = el('div', { class: 'buttons' }, failover, resume)
  const facts = [priority, master, advert, addresses, since, changes].map(({ root }) => root)
  const root = el(
    'article',
    { class: 'card' },
    el('div', { class: 'head' }, badge, name, where, buttons),
    why,
    el('dl', { class: 'facts' }, ...facts),
    peers.root,
    more,
  )
  let state = ''
  const update = (it: StatusInstance): void => {
    shown = it
    if (it.state !== state) {
      state = it.state
      badge.replaceChildren(stateShape(it.state), it.state)
      root.dataset['state'] = it.state
      root.dataset['instance'] = it.name
    }
    say(name, it.name)
    say(
      where,
      `VRID ${it.vrid} on ${it.interface ?? 'no interface'}, IPv${it.family}, VRRPv${it.version}`,
    )
    say(why, it.why)
    priority.set(priorityText(it), it.standsBy !== null)
    master.set(masterText(it), it.master === null)
    advert.set(advertText(it))
    const present = it.addresses.filter((address) => address.present).length
    const wanted = it.state === 'MASTER' ? it.addresses.length : 0
    addresses.set(addressesText(it, present), present !== wanted)
    since.set(spanText(it.sinceMs + ageOf(view)))
    changes.set(String(it.transitions))
    peers.update(it)
    show(failover, view.right === 'act' && it.state === 'MASTER')
    show(resume, view.right === 'act' && it.standsBy !== null)
    if (more.open) details.update(it)
  }
  return { root, update }
}

/** The same instance on the other hosts, as they say. */
function peerLines(view: View): Shown<StatusInstance> {
  const root = el('ul', { class: 'peers' })
  const lines = new Keyed<Side>(
    root,
    ({ peer }) => peer.url,
    () => {
      const [badge, text] = [el('span', { class: 'badge' }), el('span', {})]
      const line = el('li', {}, badge, text)
      let shown = ''
      return {
        root: line,
        update: (side) => {
          const state = side.peer.why !== null || side.it === null ? 'UNKNOWN' : side.it.state
          if (shown !== state) {
            shown = state
            badge.replaceChildren(stateShape(state), state)
            line.dataset['state'] = state
          }
          say(text, peerText(side))
        },
      }
    },
  )
  return {
    root,
    update: ({ name }) => {
      const sides = sidesOf(view, name)
      show(root, sides.length > 0)
      lines.set(sides)
    },
  }
}

function peerText({ peer, it, ageMs }: Side): string {
  const host = peer.summary?.host ?? peer.url
  if (peer.why !== null) {
    const last = it === null ? '' : `; ${spanText(ageMs)} ago it said ${it.state}`
    return `${host} does not answer: ${peer.why}${last}`
  }
  if (it === null) return `${host} does not have it`
  return `${host}, priority ${it.effectivePriority}, for ${spanText(it.sinceMs + ageMs)}: ${it.why}`
}

function priorityText({ effectivePriority, basePriority, standsBy }: StatusInstance): string {
  const base = effectivePriority === basePriority ? '' : ` (configured ${basePriority})`
  return `${effectivePriority}${base}${standsBy === null ? '' : `, stands by: ${standsBy}`}`
}

const masterText = ({ master }: StatusInstance): string => {
  if (master === null) return 'none known'
  return master.self ? 'this host' : `${master.address} (${master.priority})`
}

function advertText({
  state,
  lastAdvertAgoMs,
  lastSentAgoMs,
  downIntervalMs,
}: StatusInstance): string {
  if (state === 'MASTER')
    return lastSentAgoMs === null ? 'none sent yet' : `sent ${measuredText(lastSentAgoMs)} ago`
  if (lastAdvertAgoMs === null) return 'none heard'
  const limit = downIntervalMs === null ? '' : ` / ${measuredText(downIntervalMs)}`
  return `${measuredText(lastAdvertAgoMs)}${limit}`
}

function addressesText({ state, addresses }: StatusInstance, present: number): string {
  const foreign = addresses.filter((address) => address.foreign).length
  const there = `${present}/${addresses.length} here`
  const others = foreign === 0 ? '' : `, ${foreign} set by another program`
  return `${there}${others}${state === 'MASTER' && present < addresses.length ? ': missing' : ''}`
}

function instanceDetails(view: View): Shown<StatusInstance> {
  const arithmetic = el('p', { class: 'arithmetic' })
  const listed = el('p', { class: 'addresses' })
  const states = el('div', { class: 'strip' })
  const gaps = el('div', { class: 'strip' })
  const gapsText = el('p', { class: 'note' })
  const axis = el('div', { class: 'axis' }, el('span', {}), el('span', {}, 'now'))
  const root = el(
    'div',
    { class: 'details' },
    el('h3', {}, 'State'),
    states,
    axis,
    el('h3', {}, 'Pauses between the master’s adverts'),
    gaps,
    gapsText,
    el(
      'div',
      { class: 'columns' },
      el('div', {}, el('h3', {}, 'Priority'), arithmetic),
      el('div', {}, el('h3', {}, 'Addresses'), listed),
    ),
  )
  const update = (it: StatusInstance): void => {
    const nowMs = hostNow(view)
    const window = { nowMs, lengthMs: view.windowMs }
    const startedMs = nowMs - (view.status?.uptimeMs ?? 0) - ageOf(view)
    const label = `${it.name} in the last ${spanText(view.windowMs)}: ${count(it.history.length, 'transition')} known`
    states.replaceChildren(stateStrip(segmentsOf(it, window, startedMs, ageOf(view)), nowMs, label))
    if (axis.firstElementChild !== null)
      say(axis.firstElementChild, view.windowMs === hourMs ? '1 h ago' : '24 h ago')
    say(arithmetic, it.priorityArithmetic)
    say(listed, it.addresses.map(addressText).join('\n'))
    showGaps(view, it, gaps, gapsText)
  }
  return { root, update }
}

const addressText = (it: StatusInstance['addresses'][number]): string =>
  `${it.present ? '✓' : '–'} ${it.address}/${it.prefixLength} on ${it.interface}${it.foreign ? ', set by another program' : it.present ? '' : ', not here'}`

function showGaps(view: View, it: StatusInstance, strip: HTMLElement, text: HTMLElement): void {
  const recent = view.recentInstances.get(it.name)
  const nowMs = hostNow(view)
  const window = { nowMs, lengthMs: view.windowMs }
  const { advertMs, downMs } = recent ?? {
    advertMs: it.advertIntervalMs,
    downMs: it.downIntervalMs,
  }
  if (downMs === null) {
    say(text, 'no figures yet')
    return
  }
  const bars = barsOf(recent?.longGaps ?? [], downMs, window)
  const usual = `Usual ${measuredText(advertMs)}; after ${measuredText(downMs)} of silence a backup takes over.`
  const closest = closestCall(recent?.longGaps ?? [], window)
  strip.replaceChildren(gapStrip(bars, { advertMs, downMs, nowMs }, usual))
  if (closest !== null)
    say(
      text,
      `Closest call ${(closest.gapMs / downMs).toFixed(2)} at ${clockText(closest.atMs, nowMs)}: ${measuredText(closest.gapMs)} of silence. ${usual}`,
    )
  else if (it.adverts.heard === 0)
    say(text, `This host has heard no adverts: a master hears none. ${usual}`)
  else say(text, `No pause was half as long again as usual. ${usual}`)
}
