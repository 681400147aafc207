/** From what was seen to what is proposed: estimates, recommendations, replay, and the patch. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../../../src/base/seeded.ts'
import type { Recorded } from '../../../src/checks/verdict/record.ts'
import { parseTree } from '../../../src/config/language/tree.ts'
import type {
  Adverts,
  ObservedCheck,
  ObservedInstance,
  Timing,
} from '../../../src/report/observation.ts'
import { lossOf } from '../../../src/tune/advert-loss.ts'
import { advise } from '../../../src/tune/advice.ts'
import { budgetOf, checkBudget, instanceBudget } from '../../../src/tune/budget.ts'
import { changesOf } from '../../../src/tune/changes.ts'
import { chanceOf, estimate } from '../../../src/tune/estimate.ts'
import { detection, handOver } from '../../../src/tune/formulas.ts'
import { applyChanges, patchText } from '../../../src/tune/patch.ts'
import { tunePage } from '../../../src/tune/picture.ts'
import { recommendAdverts, recommendCheck } from '../../../src/tune/recommend.ts'
import { replayAdverts, replayCheck } from '../../../src/tune/replay.ts'
import { rate, reportAdvice, reportBudget, reportReplay } from '../../../src/tune/report.ts'
import { BadObservation, readObservation, saveObservation } from '../../../src/tune/saved.ts'
import { fc } from '../../property.ts'
import { fakeWorld } from '../config/fake-world.ts'
import { check as checkText } from '../config/reading.ts'
import { verdicts } from './simulate.ts'

const timing: Timing = {
  intervalMs: 100,
  fastIntervalMs: null,
  downIntervalMs: null,
  timeoutMs: 100,
  rise: 1,
  fall: 2,
}

const result = (i: number, outcome: Recorded['outcome'] = 'good', durationMs = 1): Recorded => ({
  atMs: 1_000_000 + 100 * i,
  durationMs,
  latenessMs: 0,
  outcome,
})

/** '.' is good, 'x' failed, 't' timed out. */
const results = (text: string): readonly Recorded[] =>
  Array.from(text, (sign, i) =>
    sign === '.' ? result(i) : sign === 't' ? result(i, 'timeout', 100) : result(i, 'failed'),
  )

const observed = (seen: readonly Recorded[], more: Partial<Timing> = {}): ObservedCheck => ({
  name: 'web',
  how: 'tcp',
  tunable: true,
  timing: { ...timing, ...more },
  results: seen,
})

const adverts: Adverts = { version: 3, advertMs: 1_000, downTimerAdverts: 3, heirPriority: 100 }

function instance(lost = 0, longestMs = 1_000, more: Partial<Adverts> = {}): ObservedInstance {
  const histogram = [
    { fromMs: 896, count: 10_000 },
    { fromMs: 1_792, count: lost },
  ]
  return {
    name: 'V',
    state: 'backup',
    adverts: { ...adverts, ...more },
    resignsOnDemotion: true,
    tracks: [{ name: 'web', weight: 0 }],
    gaps: { histogram, long: longestMs > 1_500 ? [{ atMs: 5_000, gapMs: longestMs }] : [] },
  }
}

test('estimates: chance, outages that are none, and what nothing seen leaves open', () => {
  const none = estimate(observed(results('..........')))
  assert.deepEqual([none.n, none.failures, none.outages], [10, 0, 0])
  assert.deepEqual(chanceOf(none, timing), { p: 0.3, afterFailure: 0.3, bound: true })
  const some = estimate(observed(results('....x....xxxxx.....t')))
  assert.deepEqual([some.n, some.failures, some.timeouts, some.outages], [15, 2, 1, 1])
  assert.equal(chanceOf(some, timing)?.p, 2 / 15)
  assert.equal(chanceOf(estimate(observed([])), timing), null)
  const slow = estimate(observed([result(0, 'good', 5), result(1, 'good', 50), result(2)]))
  assert.equal(chanceOf(slow, { timeoutMs: 10 })?.p, 1 / 3, 'a shorter timeout cuts answers off')
  const pairs = estimate(observed(results('..xx'.repeat(20)), { fall: 3 }))
  assert.equal(chanceOf(pairs, timing)?.afterFailure, 20 / 39, 'failures come in pairs')
})

test('adverts: how many were missing, and what nothing missing leaves open', () => {
  assert.equal(lossOf({ ...instance(), gaps: null }), null)
  const clean = lossOf(instance())
  assert.deepEqual([clean?.lost, clean?.p, clean?.bound], [0, 3 / 10_000, true])
  const lossy = lossOf(instance(5, 2_100))
  assert.deepEqual([lossy?.lost, lossy?.longestMs, lossy?.bound], [5, 2_100, false])
})

const arbitraryTarget = fc.record({
  failoverMs: fc.integer({ min: 20, max: 10_000 }),
  falsePerYear: fc.constantFrom(0.01, 1, 12, 365),
})

test('a proposal keeps what it promises, by the formulas that the simulation has verified', () => {
  const chance = fc.record({
    every: fc.integer({ min: 5, max: 1_000 }),
    n: fc.integer({ min: 1, max: 3_000 }),
  })
  fc.assert(
    fc.property(arbitraryTarget, chance, fc.nat(20), (target, { every, n }, lost) => {
      const seen = Array.from({ length: n }, (_, i) =>
        result(i, i % every === 3 ? 'failed' : 'good'),
      )
      const check = checkBudget(observed(seen))
      const virtual = instanceBudget(instance(lost, lost > 0 ? 2_000 : 1_000), [check])
      const choice = recommendAdverts(virtual, target)
      const setting = choice.kind === 'found' ? choice.setting : adverts
      if (choice.kind === 'found') {
        assert.ok(choice.worstMs <= target.failoverMs + 1e-9)
        assert.ok(choice.falsePerYear <= target.falsePerYear)
      } else assert.notEqual(choice.why, '')
      const found = recommendCheck(check, setting, true, target)
      if (n < 300) assert.ok(found.kind === 'none' && /^needs at least 300 runs/.test(found.why))
      if (found.kind === 'none') return assert.notEqual(found.why, '')
      const worst =
        detection(found.setting, found.setting.timeoutMs).worst + handOver(setting, true).worst
      assert.ok(Math.abs(worst - found.worstMs) < 1e-9 && worst <= target.failoverMs + 1e-9)
      assert.ok(found.falsePerYear <= target.falsePerYear)
      assert.ok(found.setting.timeoutMs >= 3, 'three times the p99 of an answer')
    }),
    { numRuns: 60 },
  )
})

test('when there is none it says what stands in the way', () => {
  const none = (choice: ReturnType<typeof recommendCheck> | ReturnType<typeof recommendAdverts>) =>
    choice.kind === 'none' ? choice.why : choice
  const good = checkBudget(observed(results('.'.repeat(1_000))))
  const target = { failoverMs: 500, falsePerYear: 1 }
  const at = (virtual: ObservedInstance, wanted = target) =>
    none(recommendAdverts(instanceBudget(virtual, []), wanted))
  assert.match(
    String(at({ ...instance(), gaps: null })),
    /^no adverts were heard here: observe on the backup$/,
  )
  assert.match(
    String(at(instance(), { ...target, failoverMs: 20 })),
    /^even 10 ms and 2 missing adverts take 26\.1 ms$/,
  )
  assert.match(
    String(at(instance(0, 1_000, { version: 2 }))),
    /version 3 counts hundredths of a second$/,
  )
  assert.match(
    String(at(instance(1, 1_900))),
    /^it was silent for 1900 ms; twice that is more than any setting/,
  )
  assert.match(
    String(none(recommendCheck(good, adverts, true, target))),
    /^the hand-over takes 609\.4 ms/,
  )
  const bad = checkBudget(observed(results('.x'.repeat(500))))
  const quick = { ...adverts, advertMs: 100 }
  assert.match(
    String(none(recommendCheck(bad, quick, true, target))),
    /^500 of 1000 runs failed for nothing/,
  )
  assert.equal(
    none(recommendCheck(checkBudget(observed([])), quick, true, target)),
    'needs at least 300 runs: 30 s (0 seen)',
  )
})

test('from little evidence nothing is promised: it says how long to observe', () => {
  const heard = (count: number): ObservedInstance => ({
    ...instance(),
    gaps: { histogram: [{ fromMs: 896, count }], long: [] },
  })
  const target = { failoverMs: 30_000, falsePerYear: 1 }
  for (const count of [1, 2, 3, 299]) {
    const budget = instanceBudget(heard(count), [])
    assert.ok((budget.loss?.p ?? 2) <= 1)
    assert.equal(budget.falsePerYear, null)
    const choice = recommendAdverts(budget, target)
    assert.deepEqual(choice, {
      kind: 'none',
      why: `needs at least 300 adverts: 5 minutes (${count} seen)`,
    })
  }
  const observation = {
    ...{ schema: 1 as const, host: 'lb1', configPath: '/c.conf', fromMs: 0, untilMs: 60_000 },
    checks: [observed(results('...'))],
    instances: [heard(2)],
  }
  const said = reportBudget(observation, budgetOf(observation))
  assert.match(said, /wrong {14}not known: needs at least 300 runs: 30 s \(3 seen\)/)
  assert.match(said, /wrong {14}not known: needs at least 300 adverts: 5 minutes \(2 seen\)/)
  assert.doesNotMatch(said, /never|once in -/)
})

test('an upper bound is called one, and two lost adverts are proposed only after many', () => {
  const heard = (count: number): ObservedInstance => ({
    ...instance(),
    gaps: { histogram: [{ fromMs: 896, count }], long: [] },
  })
  const target = { failoverMs: 30_000, falsePerYear: 1e9 }
  const least = (count: number) => {
    // The quickest setting that reaches the time has as few as may be.
    const budget = instanceBudget(heard(count), [])
    const quick = recommendAdverts(budget, { ...target, failoverMs: 27 })
    return quick.kind === 'none' ? quick.why : quick.setting.downTimerAdverts
  }
  assert.equal(least(300), 'even 10 ms and 3 missing adverts take 36.1 ms')
  assert.equal(least(10_000), 2)
  const observation = {
    ...{ schema: 1 as const, host: 'lb1', configPath: '/c.conf', fromMs: 0, untilMs: 60_000 },
    checks: [observed(results('.'.repeat(300)))],
    instances: [heard(300)],
  }
  const budget = budgetOf(observation)
  assert.match(reportBudget(observation, budget), /wrong {14}at most \d.* \(l ≤ 0\.010\)/)
  assert.match(reportAdvice(advise(observation, budget, target), target), /wrong at most /)
})

test('replay with the present setting is what the daemon saw; another one is judged alike', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      (seed, fall, rise) => {
        const setting = { ...timing, fall, rise }
        const chance = seeded(seed)
        const seen: Recorded[] = []
        const answer = (atMs: number) => {
          const ok = chance() > 0.3
          seen.push({ atMs, durationMs: 1, latenessMs: 0, outcome: ok ? 'good' : 'failed' })
          return { ok, tookMs: 1 }
        }
        const expected: number[] = []
        for (const { atMs, good } of verdicts(setting, answer)) {
          if (atMs > 100_000) break
          if (!good) expected.push(atMs)
        }
        const replayed = replayCheck(observed(seen.filter(({ atMs }) => atMs < 100_000)), setting)
        assert.deepEqual(
          replayed.failures.map(({ atMs }) => atMs),
          expected,
        )
        assert.equal(replayed.coarse, false)
      },
    ),
    { numRuns: 40 },
  )
  const seen = observed(results('....x...xx....t...'))
  const failures = (more: Partial<Timing>) =>
    replayCheck(seen, { ...timing, ...more }).failures.length
  assert.deepEqual([failures({ fall: 1 }), failures({ fall: 2 }), failures({ fall: 3 })], [3, 1, 0])
  assert.equal(failures({ fall: 1, timeoutMs: 0.5 }), 1, 'no answer is quick enough')
  assert.equal(replayCheck(seen, { ...timing, intervalMs: 200 }).runs, 9)
  assert.equal(replayCheck(seen, { ...timing, intervalMs: 50 }).coarse, true)
})

test('replay of adverts: pauses that would have been too long', () => {
  const seen = instance(2, 2_600)
  const at = (more: Partial<Adverts>) => replayAdverts(seen, { ...adverts, ...more })
  assert.deepEqual(at({}), { name: 'V', certain: 0, possible: 0 })
  assert.deepEqual(at({ downTimerAdverts: 2 }), { name: 'V', certain: 0, possible: 0 })
  assert.deepEqual(at({ advertMs: 100 }), { name: 'V', certain: 1, possible: 1 })
  assert.equal(replayAdverts({ ...seen, gaps: null }, adverts), null)
})

const text = `# a pair
vrrp_script web {
    script "killall -0 httpd"   # the server
    interval 2
    weight 0 # none
}

vrrp_instance V {
    interface eth0
    virtual_router_id 51
    priority 100
    version 3
    advert_int 1      ! slow
    track_script {
        web
    }
    virtual_ipaddress {
        10.0.0.100/24
    }
}
`

test('the patch replaces lines that say it, adds others, keeps comments, and is accepted', () => {
  const world = fakeWorld({ files: { '/c.conf': text } })
  const { nodes } = parseTree('/c.conf', world, { configId: null, includeAll: false })
  const before = new Map([['/c.conf', text]])
  const observation = {
    schema: 1 as const,
    host: 'lb1',
    configPath: '/c.conf',
    fromMs: 0,
    untilMs: 60_000,
    checks: [
      observed(results('.'.repeat(3_000)), { intervalMs: 2_000, timeoutMs: 2_000, fall: 1 }),
    ],
    instances: [instance()],
  }
  const target = { failoverMs: 800, falsePerYear: 1 }
  const budget = budgetOf(observation)
  const advice = advise(observation, budget, target)
  const after = applyChanges(nodes, before, changesOf(advice))
  const changed = after.get('/c.conf') ?? ''
  assert.match(changed, /^ {4}advert_int 0\.\d+ {6}! slow$/m)
  assert.match(changed, /^ {4}script "killall -0 httpd" {3}# the server$/m)
  assert.match(changed, /^vrrp_script web \{\n {4}fast_interval 0\.\d+\n/m)
  assert.match(changed, /^ {4}interval 0\.\d+$/m)
  const report = checkText(changed)
  assert.equal(report.exit, checkText(text).exit, report.text)
  const [proposed] = advice.proposed.checks
  assert.equal(report.config?.scripts[0]?.fall, proposed?.timing.fall)
  assert.equal(
    report.config?.instances[0]?.downTimerAdverts,
    advice.proposed.instances[0]?.adverts.downTimerAdverts,
  )
  const patch = patchText(before, after)
  assert.match(patch, /^--- \/c\.conf.*\n\+\+\+ \/c\.conf.*\n@@ /)
  assert.match(patch, /^- {4}interval 2$/m)
  assert.equal(patchText(before, before), '')

  const said = reportBudget(observation, budget)
  assert.match(said, /detects hanging {4}\d/)
  assert.match(said, /histogram {10}≤ 1 ms: 3000\n/)
  assert.match(said, /pauses {13}from 896 ms: 10000\n/)
  assert.match(reportAdvice(advice, target), /proposed {11}interval 0\./)
  const page = tunePage('lb1', budget, advice)
  assert.equal(page.match(/<svg/g)?.length, 2)
  assert.match(
    reportReplay([replayCheck(observation.checks[0] ?? observed([]), timing)], []),
    /check web: /,
  )
})

test('rates are said in the unit that fits', () => {
  assert.deepEqual([null, 0, 1e9, 8_766 * 2, 1, 0.5, 1e-9].map(rate), [
    ...['not known', 'less than once in a million years', '31.7 a s', '2 an hour', '1 a year'],
    ...['once in 2 years', 'less than once in a million years'],
  ])
})

test('an observation is written and read; what is none is said', () => {
  const observation = {
    ...{ schema: 1 as const, host: 'lb1', configPath: '/c.conf', fromMs: 0, untilMs: 10 },
    checks: [observed(results('.xt'))],
    instances: [instance()],
  }
  assert.deepEqual(readObservation(saveObservation(observation)), observation)
  for (const bad of [
    '',
    '{',
    '[]',
    '{"schema":2}',
    '{"schema":1,"checks":1}',
    '{"schema":1,"checks":[{}],"instances":[]}',
    '{"schema":1,"checks":[{"results":[[1,2]]}],"instances":[]}',
  ])
    assert.throws(() => readObservation(bad), BadObservation, bad)
})
