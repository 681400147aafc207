/** One check: what it says, how long it took, and how far that is from its timeout. */
import type { StatusCheck } from '../../report/status.ts'
import { el, type Shown, say, show } from './dom.ts'
import { runsPicture, stateShape } from './shapes.ts'
import { ageOf, hostNow, type View } from './view.ts'
import { clockText, measuredText, spanText } from './words.ts'

/** As many as the API tells of. */
const runsMost = 60

export function checkRow(view: View, runNow: (name: string) => void): Shown<StatusCheck> {
  const badge = el('span', { class: 'badge' })
  const name = el('h3', {})
  const how = el('code', {})
  const last = el('p', { class: 'why' })
  const counts = el('p', { class: 'note' })
  const runs = el('div', { class: 'strip' })
  const latency = el('p', { class: 'note' })
  const button = el('button', { type: 'button' }, 'Run now …')
  let shown = ''
  button.addEventListener('click', () => runNow(shown))
  const root = el(
    'article',
    { class: 'card check' },
    el('div', { class: 'head' }, badge, name, how, el('div', { class: 'buttons' }, button)),
    last,
    runs,
    latency,
    counts,
  )
  let word = ''
  const update = (it: StatusCheck): void => {
    shown = it.name
    const is = it.good === null ? 'UNKNOWN' : it.good ? 'GOOD' : 'BAD'
    if (word !== is) {
      word = is
      const shape = { GOOD: 'MASTER', BAD: 'FAULT', UNKNOWN: 'INIT' }[is]
      badge.replaceChildren(stateShape(shape), is)
      root.dataset['check'] = is
    }
    say(name, it.name)
    say(how, it.how)
    say(last, lastText(it))
    show(button, view.right === 'act')
    say(counts, countsText(view, it))
    showRuns(view, it, runs, latency)
  }
  return { root, update }
}

function lastText({ last }: StatusCheck): string {
  if (last === null) return 'has not run yet'
  const said = last.output.trim().split('\n').at(-1) ?? ''
  return [outcomeText(last.outcome), said].filter((text) => text !== '').join(': ')
}

function outcomeText(outcome: NonNullable<StatusCheck['last']>['outcome']): string {
  switch (outcome.kind) {
    case 'exit':
      return outcome.status === 0 ? 'ok' : `exit status ${outcome.status}`
    case 'signal':
      return `killed by ${outcome.signal}`
    case 'timeout':
      return `no answer within ${measuredText(outcome.afterMs)}`
    case 'unable':
      return `could not be run: ${outcome.why}`
    case 'probe':
      return outcome.ok ? outcome.detail || 'ok' : outcome.detail || 'failed'
    case 'value':
      return `value ${outcome.value}`
  }
}

function countsText(view: View, it: StatusCheck): string {
  const recent = view.recentChecks.get(it.name)
  const needed = recent === undefined ? null : it.good === true ? recent.fall : recent.rise
  const progress =
    it.streak === 0 || needed === null
      ? ''
      : `${it.streak} of ${needed} ${it.good === true ? 'failures until BAD' : 'successes until GOOD'}; `
  const since = it.sinceMs === null ? '' : `for ${spanText(it.sinceMs + ageOf(view))}; `
  const used = it.usedBy.length === 0 ? 'tracked by nothing' : `tracked by ${it.usedBy.join(', ')}`
  return `${since}${progress}${it.runs} runs, ${it.failures} failed, ${it.timeouts} timed out, ${it.overruns} overrun; ${used}`
}

function showRuns(view: View, it: StatusCheck, strip: HTMLElement, text: HTMLElement): void {
  const recent = view.recentChecks.get(it.name)
  if (recent === undefined || recent.results.length === 0) {
    show(strip, false)
    say(text, it.last === null ? '' : `took ${measuredText(it.last.durationMs)}`)
    return
  }
  const { results, timeoutMs, intervalMs } = recent
  const took = results.map(({ durationMs }) => durationMs).sort((a, b) => a - b)
  const median = took[Math.floor(took.length / 2)] ?? 0
  const worst = took.at(-1) ?? 0
  const latest = results.at(-1)
  const label = `Last ${results.length} runs: median ${measuredText(median)}, longest ${measuredText(worst)}, timeout ${measuredText(timeoutMs)}`
  show(strip, true)
  strip.replaceChildren(runsPicture(results, timeoutMs, runsMost, label))
  const when = latest === undefined ? '' : `, last at ${clockText(latest.atMs, hostNow(view))}`
  say(text, `${label} (the line). Every ${measuredText(intervalMs)}${when}.`)
}
