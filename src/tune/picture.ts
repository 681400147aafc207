/** Detection time against false alarms: every setting that is the best of its kind, the present one and the proposed one. */
import { lineChart, type Point } from '../plot/lines.ts'
import { page } from '../plot/page.ts'
import type { Advice } from './advice.ts'
import type { Budget, CheckBudget, InstanceBudget } from './budget.ts'
import { checkFrontier, type FrontierPoint, instanceFrontier } from './frontier.ts'
import { rate, time } from './report.ts'

/** Rates that are rarer look the same. */
const leastPerYear = 1e-6

export function tunePage(host: string, budget: Budget, advice: Advice | null): string {
  const checks = budget.checks.map((check) => {
    const next = advice?.proposed.checks.find(({ name }) => name === check.name) ?? null
    return section(
      `check ${check.name}`,
      points(check),
      next === null ? null : points(next),
      checkFrontier(check),
    )
  })
  const instances = budget.instances.map((instance) => {
    const next = advice?.proposed.instances.find(({ name }) => name === instance.name) ?? null
    return section(
      `instance ${instance.name}`,
      hostPoint(instance),
      next === null ? null : hostPoint(next),
      instanceFrontier(instance),
    )
  })
  return page(`vipd tune: ${host}`, [...checks, ...instances])
}

const points = ({ hangs, falsePerYear }: CheckBudget): Point => point(hangs.worst, falsePerYear)
const hostPoint = ({ host, falsePerYear }: InstanceBudget): Point => point(host.worst, falsePerYear)

function point(x: number, falsePerYear: number | null): Point {
  const y = Math.max(leastPerYear, falsePerYear ?? leastPerYear)
  return { x, y, low: y, high: y }
}

function section(
  heading: string,
  present: Point,
  proposed: Point | null,
  frontier: readonly FrontierPoint[],
) {
  const chart = lineChart({
    title: heading,
    subtitle: 'worst detection against false alarms; left and down is better',
    xLabel: 'worst detection',
    yLabel: 'false alarms a year',
    xFormat: time,
    yFormat: (value) => value.toPrecision(1),
    series: [
      { name: 'now', points: [present] },
      ...(proposed === null ? [] : [{ name: 'proposed', points: [proposed] }]),
    ],
    theory: {
      name: 'the best there is',
      points: frontier.map(({ worstMs, falsePerYear }) => ({
        x: worstMs,
        y: Math.max(leastPerYear, falsePerYear),
      })),
    },
  })
  const row = (name: string, { x, y }: Point) => [name, time(x), rate(y)]
  return {
    heading,
    words: [],
    pictures: [chart],
    table: {
      head: ['setting', 'worst detection', 'false alarms'],
      rows: [row('now', present), ...(proposed === null ? [] : [row('proposed', proposed)])],
    },
  }
}
