/** The daemon and its configuration. */
import type { StatusUpgrades } from '../report/status.ts'
import type { Found } from './codes.ts'
import type { Facts } from './facts.ts'

export const daemonRules = (facts: Facts): readonly Found[] => [
  ...away(facts),
  ...mistakes(facts),
  ...running(facts),
]

function away({ daemon, runDir, config }: Facts): readonly Found[] {
  if (daemon === 'answers' || daemon === 'denied') return []
  const what =
    daemon === 'away'
      ? `no vipd runs with ${runDir}`
      : `the vipd of ${runDir} does not answer its control socket`
  const file = config === null ? '' : ` -f ${config.path}`
  return [
    {
      code: 'daemon-away',
      about: null,
      what,
      mend: `systemctl ${daemon === 'away' ? 'start' : 'restart'} vipd, or: vipd run${file}`,
    },
  ]
}

/** What `vipd check` says, in short. */
function mistakes({ config }: Facts): readonly Found[] {
  if (config === null) return []
  const { path, runs, exit, mistakes: list } = config
  const mend = `vipd check ${path}`
  const [first] = list
  const rest = list.length > 1 ? `, and ${list.length - 1} more` : ''
  // A place in this file begins with its path.
  const place = first?.startsWith(`${path}:`) === true ? first : `${path}: ${first}`
  const what = first === undefined ? path : `${place}${rest}`
  if (!runs) return [{ code: 'configuration-broken', about: null, what, mend }]
  if (exit === 6) return [{ code: 'scripts-insecure', about: null, what, mend }]
  return list.length === 0 ? [] : [{ code: 'configuration-mistakes', about: null, what, mend }]
}

/** Of the last one that was ordered; null: it was done, or there was none. */
function refusalOf({ last, lastRefusal }: StatusUpgrades): string | null {
  if (lastRefusal === null || (last !== null && last.at > lastRefusal.at)) return null
  return lastRefusal.why
}

function running({ status, config, runDir }: Facts): readonly Found[] {
  if (status === null) return []
  const { path, lastReload, lastReloadReasons, unchangedOnDisk } = status.config
  const found: Found[] = []
  const reload = `vipd reload --run-dir ${runDir}`
  const host = (code: Found['code'], what: string, mend: string) =>
    found.push({ code, about: null, what, mend })
  if (unchangedOnDisk === false)
    host('configuration-changed', `${path} has changed since it was loaded`, reload)
  if (lastReload === 'rejected')
    host(
      'reload-rejected',
      `the last reload was rejected: ${lastReloadReasons[0] ?? path}`,
      `vipd check ${path}, then ${reload}`,
    )
  const refusal = refusalOf(status.upgrades)
  if (refusal !== null)
    host(
      'upgrade-refused',
      `the last vipd upgrade was refused: ${refusal}`,
      'mend that and vipd upgrade, or vipd drain and restart',
    )
  if (config !== null && config.path !== path)
    host(
      'configuration-other',
      `the daemon runs with ${path}, and this looked at ${config.path}`,
      `vipd doctor -f ${path}`,
    )
  for (const { name, state, why } of status.instances)
    if (state === 'FAULT')
      found.push({
        code: 'instance-fault',
        about: name,
        what: `${name} is in FAULT: ${why}`,
        mend: `vipd status ${name}`,
      })
  for (const what of status.warnings) host('daemon-warning', what, 'vipd status')
  return found
}
