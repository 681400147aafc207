/**
 * `vipd cleanup`: after a daemon's end, whatever ended it. Removes what a vipd put into the kernel, by the mark on it or
 * by the record of the run directory, and nothing else; a living daemon's is not touched. No configuration is read.
 */
import { OpError } from '../base/errors.ts'
import { endStaleWardens } from '../daemon/stale-wardens.ts'
import { kernelRequest } from '../engine/native.ts'
import { Errands } from '../kernel/errands.ts'
import { describeSetting } from '../kernel/link-settings.ts'
import { meansNoTables, sweepTables } from '../kernel/nft-tables.ts'
import { removeRecord, type Survey, survey } from '../kernel/survey.ts'
import { describeFound, type Swept, sweep } from '../kernel/sweep.ts'
import { exit } from './exit.ts'
import { enterNamespace, notedNamespace } from './network-namespace.ts'
import { runDirectoryIsTaken } from './run-directory.ts'
import { requirePrivate } from './trusted-directory.ts'

const say = (text: string) => process.stderr.write(`vipd: ${text}\n`)
const nftMs = 10_000

export async function cleanUp({ runDir }: { readonly runDir: string }): Promise<number> {
  try {
    requirePrivate(runDir)
    const namespace = notedNamespace(runDir)
    if (namespace !== null && !entered(namespace)) return exit.ok
    const taken = runDirectoryIsTaken(runDir)
    const seen = survey(runDir)
    if (taken || seen.lives) return refuse('a daemon runs: nothing is removed')
    if (seen.own.kind === 'unusable')
      return refuse(`the record in ${runDir} is unusable, nothing is removed: ${seen.own.why}`)
    // A warden that is still at work knows what to give up, and does it in the adverts too; one that hangs is ended.
    await endStaleWardens(runDir, { warn: say })
    const swept = sweep(seen, kernelRequest)
    const addresses = report(swept)
    const tables = await cleanTables(seen)
    if (!addresses || !tables) return exit.degraded
    if (seen.own.kind === 'record') removeRecord(runDir)
    return exit.ok
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return refuse(`${error.message}: nothing is removed`)
  }
}

/** What was in a network namespace that is gone has gone with it. Throws OpError when it cannot be entered. */
function entered(namespace: string): boolean {
  try {
    enterNamespace(namespace)
    return true
  } catch (error) {
    if (!(error instanceof OpError) || error.code !== 'ENOENT') throw error
    say(`network namespace ${namespace} is gone, and what was in it`)
    return false
  }
}

function refuse(why: string): number {
  say(why)
  return exit.degraded
}

function report({ entries, links, settings, ...addresses }: Swept): boolean {
  const removed = [...entries.removed, ...addresses.removed, ...links.removed]
  const left = [...entries.left, ...addresses.left, ...links.left]
  const failed = [...entries.failed, ...addresses.failed, ...links.failed]
  for (const it of removed) process.stdout.write(`removed ${describeFound(it)}\n`)
  for (const it of left) say(`left alone: ${describeFound(it)}: ${it.why}`)
  for (const it of failed) say(`not removed: ${describeFound(it)}: ${it.why}`)
  for (const text of settings.restored) process.stdout.write(`set back ${text}\n`)
  for (const it of settings.left) say(`not set back: ${it.text}: ${it.why}`)
  for (const it of settings.failed) say(`not set back: ${describeSetting(it)}: ${it.why}`)
  return failed.length + settings.failed.length === 0
}

/** Where there is no nft there are no tables. */
async function cleanTables({ neighbours }: Survey): Promise<boolean> {
  const errands = new Errands()
  const nft = (args: readonly string[]) => errands.run({ kind: 'nft', args, input: '' }, nftMs)
  try {
    const living = neighbours.map((it) => it.runDir)
    const { removed } = await sweepTables(nft, living, null)
    for (const table of removed) process.stdout.write(`removed the nft table ${table}\n`)
    return true
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    if (meansNoTables(error)) return true
    say(error.message)
    return false
  }
}
