/** Probes of this host: process, file, module; and push, where another program reports the result. */
import type { Command } from '../../base/command.ts'
import type { Lowering } from '../draft/report.ts'
import type { Word } from '../language/tree-types.ts'
import type { ProbeKinds } from './probe-kind.ts'
import {
  absolutePath,
  contentOf,
  lastOf,
  Mistake,
  milliseconds,
  type Option,
  oneOf,
  patternOf,
  whole,
} from './probe-words.ts'
import { splitArgv } from './script-words.ts'

const processOptions = [
  ...['arguments', 'match', 'quorum', 'quorum_max'],
  ...['fork_delay', 'terminate_delay'],
]

const countMax = 65_535

/** NAME is what the kernel calls it; a path is compared with argv[0]. */
function processProbe(target: Word, options: readonly Option[]): Command {
  const given = lastOf(options, 'arguments')
  const least = whole(lastOf(options, 'quorum'), 1, countMax, 1)
  const most = lastOf(options, 'quorum_max')
  return {
    kind: 'processes',
    name: target.text,
    full: target.text.startsWith('/'),
    parameters: given === undefined ? null : splitArgv(given.text),
    match: oneOf(lastOf(options, 'match'), ['exact', 'initial', 'partial'], 'exact'),
    least,
    most: most === undefined ? Number.POSITIVE_INFINITY : whole(most, least, countMax, least),
    gainDelayMs: milliseconds(lastOf(options, 'fork_delay')) ?? 0,
    lossDelayMs: milliseconds(lastOf(options, 'terminate_delay')) ?? 0,
  }
}

function fileProbe(target: Word, options: readonly Option[]): Command {
  const content = lastOf(options, 'content')
  return {
    kind: 'file',
    path: absolutePath(target),
    readable: oneOf(lastOf(options, 'readable'), ['yes', 'no'], 'no') === 'yes',
    fresherMs: milliseconds(lastOf(options, 'fresher')),
    content: content === undefined ? null : patternOf(content),
  }
}

/** The text is looked at so that a reload notices that the file has changed. */
function moduleProbe(
  target: Word,
  _options: readonly Option[],
  _more: readonly Word[],
  lowering: Lowering,
): Command {
  const path = absolutePath(target)
  if (!/\.m?js$/.test(path)) throw new Mistake(target, `${path} is no ES module (.mjs or .js)`)
  return { kind: 'module', path, digest: digestOf(contentOf(target, lowering)) }
}

const pushProbe = (): Command => ({ kind: 'push' })

/** FNV-1a: tells two texts apart, no more. */
function digestOf(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return `${text.length}-${(hash >>> 0).toString(16)}`
}

export const localKinds: ProbeKinds = {
  process: { options: processOptions, make: processProbe },
  file: { options: ['readable', 'fresher', 'content'], make: fileProbe },
  module: { options: [], make: moduleProbe },
  push: { target: 'none', options: [], make: pushProbe },
}
