/**
 * How soon a change of state is on the page: from the daemon's log line to the element in a real browser, on a lab pair
 * whose first host loses its link and gets it back; and from the death of the peer until the page says that it is silent.
 * Both clocks are this machine's; the log's has milliseconds.
 *
 * npm run bench:page -- [--rounds 10]
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { inSite, peerText, stateIs } from '../test/page/site.ts'

type Seen = { readonly state: string; readonly at: number }

/** Notes when each state is shown. */
const watch = `
  window.seen = []
  const card = document.querySelector('[data-instance="VI_1"]')
  new MutationObserver(() => window.seen.push({ state: card.dataset.state, at: Date.now() }))
    .observe(card, { attributes: true, attributeFilter: ['data-state'] })
`

async function measure(rounds: number): Promise<string> {
  let seen: readonly Seen[] = []
  let logged: readonly Seen[] = []
  await inSite('', async ({ browser, url, one, vipd }) => {
    await browser.go(url)
    await browser.until('the state', stateIs('MASTER'))
    await browser.eval(watch)
    const from = vipd.child.mark
    for (let round = 0; round < rounds; round += 1) {
      await one.run('ip', ['link', 'set', 'eth0', 'down'])
      await browser.until('the fault', stateIs('FAULT'))
      await one.run('ip', ['link', 'set', 'eth0', 'up'])
      await browser.until('the return', stateIs('MASTER'))
    }
    seen = await browser.eval<readonly Seen[]>('window.seen')
    logged = vipd.child.output.items.slice(from).flatMap(({ text }) => {
      const state = /Entering (\w+) STATE/.exec(text)?.[1]
      if (state === undefined) return []
      return [{ state, at: Date.parse((JSON.parse(text) as { time: string }).time) }]
    })
  })
  const states = (some: readonly Seen[]) => some.map(({ state }) => state).join(' ')
  if (states(seen) !== states(logged))
    throw new Error(`the page showed ${states(seen)}, the log says ${states(logged)}`)
  const rows = ['FAULT', 'BACKUP', 'MASTER'].map((state) => {
    const took = seen.flatMap((it, i) => (it.state === state ? [it.at - (logged[i]?.at ?? 0)] : []))
    const found = summarise(took)
    if (found === null) throw new Error(`${state} was never shown`)
    return [state, String(found.n), ...[found.p50, found.p99, found.max].map((ms) => ms.toFixed(0))]
  })
  return tableText({ head: ['on the page', 'n', 'median ms', '99 % ms', 'max ms'], rows })
}

/** The peer is killed: its HTTP refuses at once, and is asked once a second. */
async function deaths(rounds: number): Promise<string> {
  const took: number[] = []
  await inSite('', async ({ browser, url, other }) => {
    await browser.go(url)
    const answers = '/lb2, priority 105/.test(document.body.innerText)'
    const silent = '/lb2 does not answer/.test(document.body.innerText)'
    await browser.eval(`window.diedAt = null
      new MutationObserver(() => { if (window.diedAt === null && ${silent}) window.diedAt = Date.now() })
        .observe(document.body, { childList: true, subtree: true, characterData: true })`)
    for (let round = 0; round < rounds; round += 1) {
      await browser.until('the peer', `${answers} && !${silent}`)
      // Not in step with the second in which it is asked.
      await delay(Math.random() * 1_000)
      await browser.eval('window.diedAt = null')
      const at = Date.now()
      await other.child.signal('SIGKILL')
      await browser.until('silence', 'window.diedAt !== null')
      took.push((await browser.eval<number>('window.diedAt')) - at)
      await other.child.ended(10_000)
      other = startVipd(other.host, peerText, `lb2-${round}`)
    }
  })
  const found = summarise(took)
  if (found === null) throw new Error('no death was shown')
  const figures = [found.p50, found.p99, found.max].map((ms) => ms.toFixed(0))
  return tableText({
    head: ['the peer is killed', 'n', 'median ms', '99 % ms', 'max ms'],
    rows: [['its silence is shown', String(found.n), ...figures]],
  })
}

ensureNamespaces()
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } })
process.stdout.write(`${await measure(Number(values.rounds))}\n`)
process.stdout.write(`${await deaths(Number(values.rounds))}\n`)
