/** `vrrp_track_process` and `track_file` become checks of the pool, under names of their own. */
import type { Command } from '../../base/command.ts'
import { secondsToUs } from '../../base/time.ts'
import { type ScriptDraft, scriptDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { FileDraft, ProcessDraft } from '../draft/trackers.ts'
import type { Node } from '../language/tree-types.ts'
import type { Tracked } from '../types.ts'

/** The kernel's news make a turn of most changes; without them these are the turns. */
const intervalSeconds = { process: 0.1, file: 1 }

/** How a check of that kind is called in the pool, in `status` and in the log. */
export const checkName = (kind: Tracked['kind'], name: string): string =>
  kind === 'script' ? name : `${kind}/${name}`

export function addTrackedProcess(
  name: string,
  draft: ProcessDraft,
  node: Node,
  lowering: Lowering,
): void {
  const [process, ...parameters] = draft.words ?? []
  if (process === undefined) return missing('vrrp_track_process', name, node, lowering)
  const given = parameters.length > 0 || draft.match !== null
  const command: Command = {
    kind: 'processes',
    name: process,
    full: draft.full || parameters.length > 0,
    parameters: given ? parameters : null,
    match: draft.match ?? 'exact',
    least: draft.least ?? Math.min(1, draft.most),
    most: draft.most,
    gainDelayMs: draft.gainDelayUs / 1_000,
    lossDelayMs: draft.lossDelayUs / 1_000,
  }
  const { weight, reverse } = draft
  add('process', name, { asks: command, weight, reverse, raw: process }, node, lowering)
}

export function addTrackedFile(name: string, draft: FileDraft, node: Node, lowering: Lowering) {
  const { path, weight, reverse, initialValue } = draft
  if (path === null) return missing('track_file', name, node, lowering)
  const asks: Command = { kind: 'value', path }
  add('file', name, { asks, weight, reverse, initialValue, raw: path }, node, lowering)
}

function missing(keyword: string, name: string, node: Node, lowering: Lowering): void {
  const message = `${keyword} ${name} does not say what is tracked; it is ignored`
  lowering.error(node.place, 'missing-operand', message)
}

function add(
  kind: 'process' | 'file',
  name: string,
  more: Partial<ScriptDraft>,
  node: Node,
  lowering: Lowering,
): void {
  const key = checkName(kind, name)
  const before = lowering.scripts.get(key)
  if (before !== undefined) {
    const message = `${node.keyword.text} ${name} is defined twice (first in line ${before.place.line}); this one is ignored`
    lowering.lost(node.place, 'duplicate', message)
    return
  }
  lowering.scripts.set(key, {
    ...scriptDraft(key, node.place),
    intervalUs: secondsToUs(intervalSeconds[kind]),
    ...more,
  })
}
