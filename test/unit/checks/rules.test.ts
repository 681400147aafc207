/** The rules of checks without threads or processes: turns, verdicts, progress, words, names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesName, parseStat } from '../../../src/checks/local/processes.ts'
import { describeResult, exitStatus, succeeded } from '../../../src/checks/verdict/describe.ts'
import { advance, fresh, statusOf } from '../../../src/checks/verdict/progress.ts'
import { judge, streak, undecided, type Verdict } from '../../../src/checks/verdict/rise-fall.ts'
import { anchored, isDue, takeTurns, withInterval } from '../../../src/checks/verdict/schedule.ts'
import type { CheckSpec, Result } from '../../../src/checks/verdict/types.ts'
import type { Outcome } from '../../../src/programs/outcome.ts'
import { lookUpHosts } from '../../../src/programs/resolve.ts'
import { fc } from '../../property.ts'

const spec: CheckSpec = {
  name: 'chk',
  command: { kind: 'argv', argv: ['/bin/true'] },
  runAs: null,
  intervalMs: 1000,
  timeoutMs: 1000,
  rise: 2,
  fall: 3,
}

const resultOf = (outcome: Outcome): Result => ({
  name: 'chk',
  outcome,
  output: '',
  durationMs: 1,
})

/** 'ok ko ok' → 'G B …', one letter per result. */
function verdicts(results: string, rise: number, fall: number): string {
  let verdict: Verdict = undecided
  return Array.from(results, (letter) => {
    verdict = judge(verdict, letter === '+', { rise, fall })
    return verdict.good ? 'G' : 'B'
  }).join('')
}

test('the first result decides at once, later ones need rise or fall in a row', () => {
  const cases: readonly [results: string, rise: number, fall: number, expected: string][] = [
    ['+', 5, 5, 'G'],
    ['-', 5, 5, 'B'],
    ['+-+-', 1, 1, 'GBGB'],
    ['+---', 1, 3, 'GGGB'],
    ['+--+--+---', 1, 3, 'GGGGGGGGGB'],
    ['-++', 2, 1, 'BBG'],
    ['-+-++', 2, 1, 'BBBBG'],
    ['-+-+-+++', 3, 2, 'BBBBBBBG'],
    ['-+++--', 3, 2, 'BBBGGB'],
    ['-+++-+--', 3, 2, 'BBBGGGGB'],
  ]
  for (const [results, rise, fall, expected] of cases) {
    assert.equal(verdicts(results, rise, fall), expected, `${results} rise ${rise} fall ${fall}`)
  }
})

test('a verdict turns exactly when a run of rise or fall contrary results is complete', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      (results, rise, fall) => {
        let verdict: Verdict = undecided
        let plain = { good: results[0] === true, contrary: 0 }
        for (const ok of results) {
          verdict = judge(verdict, ok, { rise, fall })
          plain = countInARow(plain, ok, { rise, fall })
          assert.equal(verdict.good, plain.good)
          assert.equal(streak(verdict, { rise, fall }), plain.contrary)
          assert.ok(verdict.counter >= 0 && verdict.counter <= rise + fall - 1)
          assert.equal(verdict.good, verdict.counter >= rise)
        }
      },
    ),
  )
})

/** The rule in other words: count contrary results in a row. */
function countInARow(
  { good, contrary }: { good: boolean; contrary: number },
  ok: boolean,
  { rise, fall }: { rise: number; fall: number },
) {
  if (ok === good) return { good, contrary: 0 }
  const needed = good ? fall : rise
  return contrary + 1 >= needed ? { good: ok, contrary: 0 } : { good, contrary: contrary + 1 }
}

test('a changed rise or fall keeps the verdict', () => {
  const good = judge(undecided, true, { rise: 1, fall: 1 })
  assert.equal(judge(good, false, { rise: 4, fall: 2 }).good, false)
  assert.equal(judge(good, true, { rise: 4, fall: 2 }).good, true)
  const bad = judge(judge(undecided, false, { rise: 5, fall: 1 }), true, { rise: 5, fall: 1 })
  assert.equal(streak(bad, { rise: 2, fall: 1 }), 1)
  assert.equal(judge(bad, true, { rise: 2, fall: 1 }).good, true)
})

test('turns lie on the grid of the first start, whatever timers and runs do', () => {
  const arbitraryTurns = fc.array(
    fc.record({
      late: fc.double({ min: 0, max: 900, noNaN: true }),
      runs: fc.integer({ min: 0, max: 4000 }),
    }),
    { minLength: 1, maxLength: 80 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), arbitraryTurns, (intervalMs, turns) => {
      const anchor = 12345.678
      const pace = { intervalMs, jitter: 0 }
      let schedule = anchored(pace, anchor, 0)
      let busyUntil = anchor
      let passed = 0
      for (const { late, runs } of turns) {
        const now = schedule.dueAt + late
        assert.ok(isDue(schedule, now))
        const taken = takeTurns(schedule, pace, now, 0)
        passed += taken.turns
        schedule = taken.schedule
        if (now >= busyUntil) busyUntil = now + runs
        assert.ok(taken.turns >= 1)
        assert.ok(schedule.dueAt > now, 'the next turn is ahead')
        assert.ok(
          schedule.dueAt - now <= intervalMs + 1e-6,
          'and no turn was passed over in silence',
        )
        const drift = Math.abs(schedule.dueAt - (anchor + (passed + 1) * intervalMs))
        assert.ok(drift < 1e-3, `no drift: ${drift}`)
      }
    }),
  )
})

test('a timer that fires a little early is on time, and does not shift the grid', () => {
  const pace = { intervalMs: 100, jitter: 0 }
  const schedule = anchored(pace, 0, 0)
  assert.equal(isDue(schedule, 99.7), true)
  assert.equal(isDue(schedule, 98), false)
  assert.deepEqual(takeTurns(schedule, pace, 99.7, 0), {
    schedule: { intervalMs: 100, gridAt: 200, dueAt: 200 },
    turns: 1,
  })
})

test('a changed interval counts from the last turn and never points into the past', () => {
  const schedule = anchored({ intervalMs: 1000, jitter: 0 }, 0, 0)
  assert.equal(withInterval(schedule, 1000, 500), schedule)
  assert.deepEqual(withInterval(schedule, 700, 500), { intervalMs: 700, gridAt: 700, dueAt: 700 })
  assert.deepEqual(withInterval(schedule, 100, 500), { intervalMs: 100, gridAt: 500, dueAt: 500 })
  assert.deepEqual(withInterval(schedule, 5000, 500), {
    intervalMs: 5000,
    gridAt: 5000,
    dueAt: 5000,
  })
})

test('progress counts runs, failures and timeouts, and says what is new', () => {
  const outcomes: readonly [Outcome, verdict: boolean, returned: boolean][] = [
    [{ kind: 'exit', status: 0 }, true, false],
    [{ kind: 'exit', status: 2 }, false, true],
    [{ kind: 'timeout', afterMs: 5 }, false, false],
    [{ kind: 'exit', status: 2 }, true, false],
    [{ kind: 'exit', status: 3 }, false, true],
    [{ kind: 'exit', status: 0 }, false, true],
    [{ kind: 'exit', status: 0 }, true, false],
  ]
  let progress = fresh
  for (const [index, [outcome, verdict, returned]] of outcomes.entries()) {
    const step = advance(progress, resultOf(outcome), spec, 1000 + index)
    assert.deepEqual(step.news, { verdict, returned }, `result ${index}`)
    progress = step.progress
  }
  const { last: _last, ...status } = statusOf(spec, progress)
  assert.deepEqual(status, {
    name: 'chk',
    good: true,
    runs: 7,
    failures: 4,
    timeouts: 1,
    overruns: 0,
    streak: 0,
    sinceMs: 1006,
  })
})

test('results read as monitoring knows them', () => {
  const cases: readonly [Outcome, text: string, status: number | null][] = [
    [{ kind: 'exit', status: 0 }, 'succeeded', 0],
    [{ kind: 'exit', status: 1 }, 'failed (exited with status 1)', 1],
    [{ kind: 'signal', signal: 'SIGSEGV' }, 'failed (killed by SIGSEGV)', null],
    [{ kind: 'timeout', afterMs: 10 }, 'timed_out', null],
    [{ kind: 'unable', why: '/x: no such file' }, 'failed (cannot run: /x: no such file)', null],
    [{ kind: 'probe', ok: true, detail: 'connected' }, 'succeeded', 0],
    [{ kind: 'probe', ok: false, detail: 'connection refused' }, 'failed (connection refused)', 1],
  ]
  for (const [outcome, text, status] of cases) {
    assert.equal(describeResult(resultOf(outcome)), text)
    assert.equal(exitStatus(outcome), status)
    assert.equal(succeeded(outcome), status === 0)
  }
})

test('hosts(5) gives all addresses of a name, whatever its case, and ignores comments', () => {
  const text = [
    '127.0.0.1\tlocalhost',
    '::1 localhost ip6-localhost # 10.0.0.9 web',
    '# 10.0.0.8 web',
    '10.0.0.7   db web.example WEB',
    'not-an-address web',
    '',
  ].join('\n')
  assert.deepEqual(lookUpHosts(text, 'localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(lookUpHosts(text, 'web'), ['10.0.0.7'])
  assert.deepEqual(lookUpHosts(text, 'Web.Example'), ['10.0.0.7'])
  assert.deepEqual(lookUpHosts(text, 'nobody'), [])
})

test('the name in /proc/PID/stat may hold blanks and parentheses', () => {
  assert.deepEqual(parseStat('12 (a) b (c)) S 1 2'), { comm: 'a) b (c)', state: 'S' })
  assert.deepEqual(parseStat(''), { comm: '', state: '' })
})

test('a process that vanished between two reads matches nothing', () => {
  const gone = { pid: 7, comm: '', state: '', argv: [] }
  for (const like of ['killall', 'pidof', 'pgrep'] as const) {
    assert.equal(matchesName({ kind: 'process', like, name: '' }, gone), false)
  }
})
