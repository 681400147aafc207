/** `vrrp_track_process` and `track_file` become checks of the pool, under names of their own. */
import type { Command } from '../../base/command.ts'
import { secondsToUs } from '../../base/time.ts'
import { type ScriptDraft, scriptDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { checkName, type FileDraft, type ProcessDraft } from '../draft/trackers.ts'
import { settlePlain } from '../grammar/settle.ts'
import { fileOptions, processOptions } from '../keywords/trackers.ts'
import type { Node } from '../language/tree-types.ts'

/** The kernel's news make a turn of most changes; without them these are the turns. */
const intervalsUs = { process: secondsToUs(0.1), file: secondsToUs(1) }

export function addTrackedProcess(
  name: string,
  draft: ProcessDraft,
  node: Node,
  lowering: Lowering,
): void {
  const [process, ...parameters] = draft.words ?? []
  if (process === undefined) return missing('vrrp_track_process', name, node, lowering)
  const { match, full, gainDelayUs, lossDelayUs } = settlePlain(
    processOptions,
    draft.options,
    lowering,
  )
  const given = parameters.length > 0 || match !== null
  const command: Command = {
    kind: 'processes',
    name: process,
    full: full || parameters.length > 0,
    parameters: given ? parameters : null,
    match: match ?? 'exact',
    least: draft.least ?? Math.min(1, draft.most),
    most: draft.most,
    gainDelayMs: gainDelayUs / 1_000,
    lossDelayMs: lossDelayUs / 1_000,
  }
  const { weight, reverse } = draft
  add('process', name, { asks: command, weight, reverse, raw: process }, node, lowering)
}

export function addTrackedFile(name: string, draft: FileDraft, node: Node, lowering: Lowering) {
  const { weight, reverse, initialValue } = draft
  const { path } = settlePlain(fileOptions, draft.options, lowering)
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
  const draft = { ...scriptDraft(key, node.place), ...more }
  draft.options.set('intervalUs', intervalsUs[kind], null)
  lowering.scripts.set(key, draft)
}
