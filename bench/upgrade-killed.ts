/**
 * Processes of an upgrade killed at instants that are spread over its steps: the new one, the old one, or both at once.
 * Before the slots are taken the old one goes on, or its warden acts; from then on the new one does, or its warden.
 */
import type { Child } from '../src/lab/child.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'
import { oneInstance, vip } from './one-instance.ts'
import { onTheWire, quiet, type Row, soonMs, upgraded } from './upgrade-lab.ts'

export const victims = ['new', 'old', 'both'] as const
type Victim = (typeof victims)[number]

/** In their order; each begins with the line of the log that matches. */
const steps = [
  { name: 'starting', begins: /Upgrade: started process (\d+)/ },
  { name: 'prepared', begins: /Upgrade: process \d+ is prepared/ },
  { name: 'state passed', begins: /Upgrade: passing the state/ },
  { name: 'adopted', begins: /Upgrade: it says adopted/ },
  { name: 'taken', begins: /Went on in place of process|has everything; leaving/ },
  { name: 'afterwards', begins: /Upgrade: serving/ },
] as const
type Step = (typeof steps)[number]['name']

/** A step that takes less is aimed at from the one before: a line of the log comes too late for it. */
const shortMs = 15
const aroundMs = { before: 2, after: 4 }
const afterwardsMs = 300

/** Lines `DELAY PID…`: kills those after so many seconds, and says when. */
const killer = `
import os, signal, sys, time
print("ready", flush=True)
for line in sys.stdin:
    at, *pids = line.split()
    time.sleep(max(0, float(at) - time.time()))
    for pid in pids:
        try: os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError: pass
    print("killed", time.time(), flush=True)
`

type Stage = {
  readonly one: Host
  readonly subject: Vipd
  readonly peer: Vipd
  readonly capture: Awaited<ReturnType<Awaited<ReturnType<typeof openLab>>['capture']>>
  readonly kill: Child
}

type Outcome = {
  readonly step: Step
  readonly end: 'old goes on' | 'new goes on' | 'warden acted'
  readonly wrong: string | null
  readonly gapMs: number
}

const debugging = ['sh', '-c', 'exec "$0" "$@" --log-level debug']
const config = (priority: number, advertInt: number) =>
  `global_defs {\n${quiet}\n}\n${oneInstance(priority, advertInt)}`

const stampOf = (text: string): number =>
  Date.parse((JSON.parse(text) as { readonly time: string }).time)

/** When each step began, by the daemon's clock; of lines from `mark` on. */
function timeline(child: Child, mark: number): Map<Step, number> {
  const lines = child.output.items.slice(mark).map(({ text }) => text)
  const found = new Map<Step, number>()
  for (const { name, begins } of steps) {
    const line = lines.find((text) => begins.test(text))
    if (line !== undefined) found.set(name, stampOf(line))
  }
  return found
}

/** How long each step took, ms. */
function spans(at: ReadonlyMap<Step, number>): Map<Step, number> {
  const all = steps.map(({ name }, i) => {
    const next = steps[i + 1]
    const [from, to] = [at.get(name), next === undefined ? undefined : at.get(next.name)]
    return [name, from === undefined || to === undefined ? afterwardsMs : to - from] as const
  })
  return new Map(all)
}

/** From which line on, and how long after it. */
function aim(
  step: Step,
  took: ReadonlyMap<Step, number>,
): { readonly line: RegExp; readonly afterMs: number } {
  const at = steps.findIndex(({ name }) => name === step)
  const [one, before] = [steps[at], steps[at - 1]]
  const span = took.get(step) ?? 0
  if (one === undefined) throw new Error(step)
  if (span >= shortMs || before === undefined)
    return { line: one.begins, afterMs: Math.random() * span }
  const { before: less, after: more } = aroundMs
  const offset = Math.random() * (span + less + more) - less
  const { line, afterMs } = lineBefore(at, took)
  return { line, afterMs: Math.max(0, afterMs + offset) }
}

/** The line of the last step before that is long enough to be told in time. */
function lineBefore(at: number, took: ReadonlyMap<Step, number>) {
  let afterMs = 0
  for (let i = at - 1; ; i--) {
    const step = steps[i]
    if (step === undefined) throw new Error('the first step is long')
    afterMs += took.get(step.name) ?? 0
    if (afterMs >= shortMs || i === 0) return { line: step.begins, afterMs }
  }
}

/** The step in which the kill was, or the first that never began. */
function stepAt(at: ReadonlyMap<Step, number>, killedMs: number): Step {
  const begun = steps.filter(({ name }) => (at.get(name) ?? Number.POSITIVE_INFINITY) <= killedMs)
  return begun.at(-1)?.name ?? 'starting'
}

/** Those of these processes that live. */
async function living(host: Host, pids: readonly number[]): Promise<readonly number[]> {
  if (pids.length === 0) return []
  const { stdout } = await host.run('ps', ['-o', 'pid=,stat=', '-p', pids.join(',')])
  const lines = stdout.split('\n').filter((line) => line !== '' && !/ Z/.test(line))
  return lines.map((line) => Number.parseInt(line, 10))
}

async function pidOf(daemon: Vipd): Promise<number | null> {
  const { stdout } = await daemon.ask('status', '--json')
  return stdout === '' ? null : (JSON.parse(stdout) as { readonly pid: number }).pid
}

async function once(
  { one, subject, peer, capture, kill }: Stage,
  victim: Victim,
  target: { readonly line: RegExp; readonly afterMs: number },
  advertInt: number,
): Promise<Outcome> {
  const old = (await pidOf(subject)) ?? 0
  const [mark, wire, peers] = [subject.child.mark, capture.mark, peer.transitions.items.length]
  const asked = subject.ask('upgrade', '--leave-parent')
  const started = await subject.child.line(/started process (\d+) to go on/, soonMs, mark)
  const fresh = Number(/started process (\d+)/.exec(started.text)?.[1])
  const line = await subject.child.line(target.line, soonMs, mark)
  const pids = { new: [fresh], old: [old], both: [old, fresh] }[victim]
  const from = kill.mark
  kill.write(`${(stampOf(line.text) + target.afterMs) / 1_000} ${pids.join(' ')}\n`)
  const killed = await kill.line(/^killed/, soonMs, from)
  const killedMs = Number(killed.text.split(' ')[1]) * 1_000
  const { status } = await asked
  // Whatever is left has settled when one lives that was not killed, and answers, or none does.
  const left = await until('what is left has settled', soonMs, async () => {
    const all = await living(
      one,
      [old, fresh].filter((pid) => !pids.includes(pid)),
    )
    if (all.length === 0) return all
    return all.length === 1 && (await pidOf(subject)) === all[0] ? all : null
  })
  const at = timeline(subject.child, mark)
  const step = stepAt(at, killedMs)
  const [survivor] = left
  const taken = at.has('taken')
  if (survivor === undefined) {
    await peer.reaches('VI_1', 'MASTER', soonMs)
    await until('no address is left', soonMs, async () => !(await one.holds(vip)))
    await capture.advert('the peer leads', soonMs, (it) => it.from === '172.16.80.2', wire)
    const survives = { new: !taken, old: taken, both: false }[victim]
    const wrong = survives ? 'nothing is left' : null
    return { step, end: 'warden acted', wrong, gapMs: silenceOf(capture, wire) }
  }
  for (let i = 0; i < 3; i++) await capture.advert('goes on', soonMs, () => true, capture.mark)
  const seen = onTheWire(capture, wire, '172.16.80.1')
  const goesOn = survivor === old ? 'old' : 'new'
  const wrong = [
    ...(peer.transitions.items.length === peers ? [] : ['the peer moved']),
    ...whatIsWrong(goesOn, taken, status),
    ...(seen.resignations + seen.ofOthers === 0 ? [] : ['resigned']),
    ...(seen.longestGapMs > advertInt * 3_000 ? [`silent for ${seen.longestGapMs} ms`] : []),
  ].join(', ')
  return { step, end: `${goesOn} goes on`, wrong: wrong || null, gapMs: seen.longestGapMs }
}

/** Of the one that is left. `status`: of the command. */
function whatIsWrong(goesOn: 'old' | 'new', taken: boolean, status: number | null): string[] {
  if (goesOn === 'new') return taken ? [] : ['the new one goes on and has not taken']
  return [
    ...(taken ? ['the old one goes on after it was taken'] : []),
    ...(status === 0 ? ['the command says that it was done'] : []),
  ]
}

/** Between the last advert of the one, resigning or not, and the first of the other. */
function silenceOf(capture: Stage['capture'], wire: number): number {
  const all = capture.adverts(() => true, wire)
  const next = all.findIndex(({ from }) => from === '172.16.80.2')
  return (all[next]?.atMs ?? Number.NaN) - (all[next - 1]?.atMs ?? Number.NaN)
}

export async function killed(
  n: number,
  advertInt: number,
  victim: Victim,
  only: string | undefined,
): Promise<readonly Row[]> {
  const targets = steps.filter(({ name }) => only === undefined || name === only)

  const lab = await openLab({ name: 'killed' })
  try {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['172.16.80.2/24'] } })
    const lead = async () => {
      const subject = startVipd(one, config(150, advertInt), 'vipd', debugging)
      await subject.reaches('VI_1', 'MASTER', soonMs).catch((error: unknown) => {
        throw new Error(`${error}\n${subject.child.text}`)
      })
      return subject
    }
    let subject = await lead()
    const peer = startVipd(two, config(100, advertInt))
    await peer.reaches('VI_1', 'BACKUP', soonMs)
    const kill = one.spawn('python3', ['-c', killer], { name: 'killer' })
    await kill.line(/ready/, soonMs)
    const capture = await lab.capture()
    const outcomes: Outcome[] = []
    const measure = async () => {
      const mark = subject.child.mark
      await upgraded(subject)
      return spans(timeline(subject.child, mark))
    }
    let took = await measure()
    for (let i = 0; i < n; i++) {
      const step = targets[i % targets.length]?.name ?? 'starting'
      const stage = { one, subject, peer, capture, kill }
      const outcome = await once(stage, victim, aim(step, took), advertInt)
      outcomes.push(outcome)
      if (outcome.wrong !== null)
        process.stderr.write(`${JSON.stringify(outcome)}\n${subject.child.text.slice(-6_000)}\n`)
      if (outcome.end !== 'warden acted') continue
      subject = await lead()
      await until('the peer is backup', soonMs, () => peer.state('VI_1') === 'BACKUP')
      took = await measure()
    }
    return rowsOf(victim, outcomes, advertInt)
  } finally {
    await lab.close()
  }
}

function rowsOf(victim: Victim, outcomes: readonly Outcome[], advertInt: number): readonly Row[] {
  return steps.flatMap(({ name }) => {
    const all = outcomes.filter(({ step }) => step === name)
    if (all.length === 0) return []
    const count = (end: Outcome['end']) => all.filter((it) => it.end === end).length
    const gap = (wanted: boolean) =>
      Math.max(
        0,
        ...all.filter(({ end }) => (end === 'warden acted') === wanted).map(({ gapMs }) => gapMs),
      )
    return [
      {
        ...{ killed: victim, 'in step': name, advertInt, n: all.length },
        'old goes on': count('old goes on'),
        'new goes on': count('new goes on'),
        'warden acted': count('warden acted'),
        wrong: all.filter(({ wrong }) => wrong !== null).length,
        'longest gap of one that goes on, ms': gap(false),
        'longest gap to the peer, ms': gap(true),
      },
    ]
  })
}
