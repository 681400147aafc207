/** `vipd doctor` for people: what, why, and the command that mends it. */
import type { Finding, Severity } from '../doctor/codes.ts'
import type { Facts } from '../doctor/facts.ts'
import { printable } from './format.ts'

const plural = (count: number, noun: Severity): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`

export function formatFindings(
  { daemon, runDir, config, unseen }: Pick<Facts, 'daemon' | 'runDir' | 'config' | 'unseen'>,
  findings: readonly Finding[],
): string {
  const lines = findings.flatMap(({ severity, code, about, what, why, mend }) => [
    `${severity}: ${about === null ? '' : `${about}: `}${what} [${code}]`,
    `    why:  ${why}`,
    `    mend: ${mend}`,
    '',
  ])
  const missed = unseen.map(({ what, why }) => `not looked at: ${what}: ${why}`)
  const counts = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const count = findings.filter((it) => it.severity === severity).length
    return count === 0 ? [] : [plural(count, severity)]
  })
  const found = counts.length === 0 ? 'nothing found' : counts.join(', ')
  const of = config === null ? 'no configuration read' : config.path
  const last = `${found} · ${of} · daemon of ${runDir}: ${daemon}`
  return `${[...lines, ...missed, last].map(printable).join('\n')}\n`
}
