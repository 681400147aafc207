/**
 * `vipd tune` on a pair, before and after: how long the death of a web server takes to be seen and to move the address,
 * what tune predicts of it, what it proposes for a target, and the same again with the proposal.
 *
 * npm run bench:tune -- [--n 20] [--observe 310s] [--target 500ms] [--max-false 1/year]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { applyPatch } from 'diff'
import { summarise } from '../src/base/statistics.ts'
import type { Child } from '../src/lab/child.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { serveWeb } from '../src/lab/serving.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { configuration, priorities, settled, trial } from './checks-failover.ts'

const checked = { check: 'probe tcp 127.0.0.1:80', interval: 2 }
const text = (priority: number): string => configuration(priority, checked, 1)

const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '20' },
    observe: { type: 'string', default: '310s' },
    every: { type: 'string', default: '50ms' },
    target: { type: 'string', default: '500ms' },
    'max-false': { type: 'string', default: '1/year' },
  },
})
const goal = ['--target-failover', values.target, '--max-false', values['max-false']]

await ensureNamespaces()
const lab = await openLab({ name: 'tune' })
try {
  const host = (name: string, last: number) =>
    lab.host(name, { addresses: { eth0: [`172.16.80.${last}/24`] } })
  const [better, heir] = [await host('better', 2), await host('heir', 3)]
  const wire = await lab.capture({ filter: 'ip proto 112 or arp' })
  let httpd = await serveWeb(better)
  await serveWeb(heir)
  const texts = new Map([
    [better, text(priorities.better)],
    [heir, text(priorities.heir)],
  ])
  const [first, second] = [better, heir].map((one) => startVipd(one, texts.get(one) ?? ''))
  if (first === undefined || second === undefined) throw new Error('no daemons')
  await settled(wire, 4)
  console.log('## Before, as the backup sees it\n')
  // Adverts are heard by the backup, so it is the one to ask.
  const patch = await ask(second, heir, [
    '--observe',
    values.observe,
    '--every',
    values.every,
    ...goal,
  ])
  const before = await predicted(second)
  const measuredBefore = await measure(2_000, Number(values.n))
  for (const daemon of [first, second]) await adopt(daemon, patch)
  console.log('\n## After, as the backup sees it\n')
  await settled(wire, 10)
  await ask(second, heir, ['--observe', values.observe, '--every', values.every, ...goal])
  const after = await predicted(second)
  const measuredAfter = await measure(500, 3 * Number(values.n))
  console.log('\n## Measured\n')
  const rows = [row('before', before, measuredBefore), row('after', after, measuredAfter)]
  console.log(
    '| | seen: predicted mean ms | measured mean | differs % | max ms | on the peer: mean | max ms |',
  )
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
  for (const cells of rows) console.log(`| ${Object.values(cells).join(' | ')} |`)
  mkdirSync('bench/results', { recursive: true })
  writeFileSync('bench/results/tune.json', `${JSON.stringify(rows, null, 2)}\n`)

  async function measure(intervalMs: number, n: number) {
    const all: Awaited<ReturnType<typeof trial>>[] = []
    for (let i = 0; i < n; i++) {
      await settled(wire, 4)
      await delay(intervalMs * Math.random())
      all.push(await trial(wire, lab.mac(heir), httpd as Child))
      httpd = await serveWeb(better)
    }
    return all
  }
} finally {
  await lab.close()
}

type Measured = readonly Awaited<ReturnType<typeof trial>>[]

function row(name: string, predictedMs: number, measured: Measured) {
  const mean = (of: readonly number[]) => of.reduce((sum, ms) => sum + ms, 0) / of.length
  const seen = measured.map(({ verdictMs }) => verdictMs)
  const moved = measured.map(({ movedMs }) => movedMs)
  const differs = (100 * (mean(seen) - predictedMs)) / predictedMs
  return {
    name,
    predicted: predictedMs.toFixed(0),
    measured: mean(seen).toFixed(0),
    differs: differs.toFixed(1),
    max: summarise(seen)?.max.toFixed(0) ?? '-',
    moved: mean(moved).toFixed(0),
    movedMax: summarise(moved)?.max.toFixed(0) ?? '-',
  }
}

/** Says what tune says; the patch that it proposes. */
async function ask(daemon: Vipd, host: Host, words: readonly string[]): Promise<string> {
  const file = '/run/lab/vipd.conf'
  const ran = await daemon.ask('tune', '-f', file, ...words, '--out', '/run/lab/tune')
  console.log(ran.stdout, ran.stderr)
  return (await host.run('cat', ['/run/lab/tune/tune.patch'])).stdout
}

/** The mean detection of a service that refuses, by the report. */
async function predicted(daemon: Vipd): Promise<number> {
  const { stdout } = await daemon.ask('tune')
  const [, mean, unit] = /detects refused +([\d.]+) (ms|s) on average/.exec(stdout) ?? []
  return Number(mean) * (unit === 's' ? 1_000 : 1)
}

/** The patch is for the heir's file; the better host's differs in its priority only. */
async function adopt(daemon: Vipd, patch: string): Promise<void> {
  const file = '/run/lab/vipd.conf'
  const { stdout: text } = await daemon.host.run('cat', [file])
  const own = /priority \d+/.exec(text)?.[0] ?? ''
  const changed = applyPatch(text.replace(own, `priority ${priorities.heir}`), patch)
  if (changed === false) throw new Error(`the patch does not apply:\n${patch}`)
  daemon.configure(changed.replace(`priority ${priorities.heir}`, own))
  const answer = await daemon.tryReload()
  if (answer.status !== 0) throw new Error(answer.text)
}
