/** The page: what the daemon tells, as it tells it. */
import type { Recent } from '../../report/recent.ts'
import type { Status, StatusCheck, StatusInstance } from '../../report/status.ts'
import { askAndOrder, makeSignIn } from './actions.ts'
import { checkRow } from './check-row.ts'
import { heardOf, ofCheck, ofDrain, ofFailover, ofReload, ofResume } from './consequences.ts'
import { byId, el, Keyed, say, show } from './dom.ts'
import { openFeed } from './feed.ts'
import { matches } from './filter.ts'
import { makeFilter } from './filter-box.ts'
import { instanceCard } from './instance-card.ts'
import { makeBfd, makeEvents, makeFindings } from './lists.ts'
import {
  ageOf,
  applyTransition,
  hourMs,
  isStale,
  newView,
  type Right,
  sidesOf,
  takeRecent,
} from './view.ts'
import { spanText } from './words.ts'

/** More instances than that, and only their heads are open at first. */
const openAtFirst = 4
/** The API answers for so many of a kind at once. */
const recentMost = 32
const recentEveryMs = 5_000
const tickMs = 250

const view = newView()
const heard = (name: string): string | null => heardOf(sidesOf(view, name))
const refresh = (): void => void askRight()

const cards = new Keyed<StatusInstance>(
  byId('instances'),
  ({ name }) => name,
  () =>
    instanceCard(view, (view.status?.instances.length ?? 0) <= openAtFirst, {
      failover: (it) => {
        if (view.status !== null)
          askAndOrder('failover', it.name, ofFailover(it, view.status, heard), refresh)
      },
      resume: (it) => {
        if (view.status !== null) askAndOrder('resume', it.name, ofResume(view.status, it), refresh)
      },
    }),
)
const filter = makeFilter(() => render())
const chosen = (all: readonly StatusInstance[]): readonly StatusInstance[] =>
  all.filter((it) => matches(filter.words(), it))
const checkList = el('div', { class: 'checks' })
byId('checks').append(checkList)
const checks = new Keyed<StatusCheck>(
  checkList,
  ({ name }) => name,
  () => checkRow(view, (name) => askAndOrder('check', name, ofCheck(name), refresh)),
)
const showFindings = makeFindings()
const showBfd = makeBfd(view)
const showEvents = makeEvents(view)
const signIn = makeSignIn(async () => {
  wantsToAct = false
  await start()
})
let wantsToAct = false
let closeFeed: (() => void) | null = null

const drain = el('button', { type: 'button' }, 'Drain this host …')
const resume = el('button', { type: 'button' }, 'Resume this host …')
const reload = el('button', { type: 'button' }, 'Reload …')
const act = el('button', { type: 'button' }, 'Use the token to act …')
const windows = [
  { name: '1 h', ms: hourMs },
  { name: '24 h', ms: 24 * hourMs },
].map(({ name, ms }) => {
  const button = el('button', { type: 'button' }, name)
  button.addEventListener('click', () => {
    view.windowMs = ms
    render()
  })
  return { button, ms }
})
byId('instances').before(
  el(
    'div',
    { class: 'tools' },
    el(
      'div',
      { class: 'windows', role: 'group', 'aria-label': 'Time shown' },
      ...windows.map(({ button }) => button),
    ),
    filter.root,
    el('div', { class: 'buttons' }, act, reload, drain, resume),
  ),
)
drain.addEventListener('click', () => {
  if (view.status !== null) askAndOrder('drain', null, ofDrain(view.status, heard), refresh)
})
reload.addEventListener('click', () => {
  if (view.status !== null) askAndOrder('reload', null, ofReload(view.status), refresh)
})
resume.addEventListener('click', () => {
  if (view.status !== null) askAndOrder('resume', null, ofResume(view.status, null), refresh)
})
act.addEventListener('click', () => {
  wantsToAct = !wantsToAct
  render()
  if (wantsToAct) document.getElementById('token')?.focus()
})

function render(): void {
  const { status } = view
  for (const { button, ms } of windows)
    button.setAttribute('aria-pressed', String(view.windowMs === ms))
  signIn(view.right === 'none' ? 'read' : wantsToAct && view.right === 'read' ? 'act' : null)
  show(act, view.actions && view.right === 'read')
  show(reload, view.right === 'act')
  show(drain, view.right === 'act' && status?.drained === false)
  show(resume, view.right === 'act' && status?.drained === true)
  renderAge()
  if (status === null) return
  document.title = `${titleOf(status)} – vipd`
  say(byId('host'), status.host)
  say(byId('facts'), factsOf(status))
  showFindings(status, view.pair)
  const some = chosen(status.instances)
  filter.say(some.length, status.instances.length)
  show(filter.root, status.instances.length > 1)
  cards.set(some)
  show(byId('checks'), status.checks.length > 0)
  checks.set(status.checks)
  showBfd(status)
  showEvents(status)
  say(byId('rights'), rightsText())
}

const titleOf = ({ host, instances }: Status): string => {
  const [only] = instances
  if (only !== undefined && instances.length === 1) return `${only.state} ${host}`
  const masters = instances.filter(({ state }) => state === 'MASTER').length
  return `${masters}/${instances.length} MASTER ${host}`
}

function factsOf({ version, uptimeMs, config, drained }: Status): string {
  const disk = { true: '', false: ', changed on disk since', unknown: ', the disk does not answer' }
  const rejected = config.lastReload === 'rejected' ? ', last reload rejected' : ''
  return [
    `vipd ${version}`,
    `up ${spanText(uptimeMs + ageOf(view))}`,
    `${config.path}${disk[`${config.unchangedOnDisk}`]}${rejected}`,
    ...(drained ? ['DRAINED'] : []),
  ].join(' · ')
}

function rightsText(): string {
  if (view.right === 'act') return 'This browser may order.'
  return view.actions
    ? 'This browser may read; ordering needs the token to act.'
    : 'Nothing can be ordered at this address: its vipd_http has no action_token.'
}

function renderAge(): void {
  const stale = isStale(view)
  const news = performance.now() - view.newsAt
  document.body.classList.toggle('stale', stale && view.right !== 'none')
  const banner = byId('stale')
  show(banner, stale && view.right !== 'none')
  if (stale)
    say(
      banner,
      `No news for ${spanText(news)}. ${view.silent ? 'The daemon’s deciding part does not answer.' : 'The daemon cannot be reached.'} What is below is old.`,
    )
  if (view.status !== null) say(byId('age'), `as of ${(ageOf(view) / 1_000).toFixed(1)} s ago`)
}

function news(): void {
  view.newsAt = performance.now()
  view.silent = false
}

async function askRight(): Promise<void> {
  try {
    const sentMs = Date.now()
    const response = await fetch('/api/v1/session')
    const told = (await response.json()) as { right: Right; actions: boolean; nowMs: number }
    view.right = told.right
    view.actions = told.actions
    view.aheadMs = told.nowMs - (sentMs + Date.now()) / 2
  } catch {
    // The banner says that there is no news.
  }
  render()
}

async function askRecent(): Promise<void> {
  const { status } = view
  if (status === null || view.right === 'none' || document.hidden) return
  const names = [
    ...chosen(status.instances)
      .slice(0, recentMost)
      .map(({ name }) => ['instance', name]),
    ...status.checks.slice(0, recentMost).map(({ name }) => ['check', name]),
  ]
  try {
    const response = await fetch(`/api/v1/recent?${new URLSearchParams(names)}`)
    if (response.ok) takeRecent(view, (await response.json()) as Recent)
  } catch {
    // Asked again soon.
  }
}

async function start(): Promise<void> {
  await askRight()
  closeFeed?.()
  closeFeed = null
  if (view.right === 'none') return
  closeFeed = openFeed({
    status: (status) => {
      const first = view.status === null
      news()
      view.status = status
      view.statusAt = performance.now()
      render()
      if (first) void askRecent()
    },
    transition: (what) => {
      news()
      applyTransition(view, what)
      render()
    },
    pair: (pair) => {
      view.pair = pair
      view.pairAt = performance.now()
      render()
    },
    beat: news,
    silence: () => {
      view.silent = true
      renderAge()
    },
    refused: refresh,
  })
}

setInterval(renderAge, tickMs)
setInterval(() => void askRecent(), recentEveryMs)
void start()
