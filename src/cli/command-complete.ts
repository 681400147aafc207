/** `vipd complete -- WORDS`: asked by the shells' completion, which `vipd completion` prints. One candidate a line. */
import { Command } from 'commander'
import { ControlError, requestStatus } from '../control/client.ts'
import type { Commands } from './command-file.ts'
import { type Completion, complete, type Names } from './completion.ts'
import { defaultRunDir } from './paths.ts'
import { daemonSocket } from './trusted-directory.ts'

export const hidden = true

export const command = (all: Commands): Command =>
  new Command('complete')
    .argument('[words...]')
    .description('the words that may follow, for the completion of a shell')
    .action(async (words: string[]) => {
      process.stdout.write(linesOf(await complete(all, words, namesOfDaemon)))
    })

/** Candidates with a tabulator before their help, then a line that begins with a colon: what the shell adds. */
function linesOf({ candidates, also }: Completion): string {
  const lines = candidates.map(({ word, help }) => (help === '' ? word : `${word}\t${help}`))
  return [...lines, `:${also}`, ''].join('\n')
}

/** A shell must never be kept from its prompt by a complaint: a daemon that is not there has no names. */
async function namesOfDaemon(runDir: string | null): Promise<Names | null> {
  try {
    return await requestStatus(daemonSocket(runDir ?? defaultRunDir, 'read'))
  } catch (error) {
    if (error instanceof ControlError) return null
    throw error
  }
}
