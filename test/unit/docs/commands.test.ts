/** Every `vipd …` that the book tells the operator to type is one that the command line takes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command, CommanderError } from 'commander'
import { commands } from '../../../src/cli/commands.ts'
import { readKeepalivedOptions } from '../../../src/cli/keepalived-options.ts'
import { likeKeepalived } from '../../../src/cli/like-keepalived.ts'
import { blocks, pages } from './markdown.ts'

type Line = { readonly place: string; readonly words: readonly string[] }

/** A line of a block, without its comment or what is said beside it; a word that may be left out is taken. */
function wordsOf(line: string): readonly string[] {
  const [typed = ''] = line.trim().split(/ #| {2,}| [|&>]/)
  return typed
    .replaceAll(/[[\]]/g, '')
    .split(/\s+/)
    .filter((word) => word !== '…')
    .map((word) => word.replaceAll(/^'|'$/g, ''))
}

function commandLines(): readonly Line[] {
  return pages()
    .flatMap(blocks)
    .flatMap(({ page, line, text }) =>
      text.split('\n').map((it, index) => ({ place: `${page}:${line + index}`, it })),
    )
    .flatMap(({ place, it }) => {
      const start =
        /(?:^|&& | exec \S+ |sudo |=-?(?:\/usr\/bin\/)?)((?:vipd|keepalived) (?:[a-z]|-).*)$/.exec(
          it.trim().replace(/^[#$] /, ''),
        )
      return start?.[1] === undefined ? [] : [{ place, words: wordsOf(start[1]) }]
    })
}

/** All commands, with nothing behind them: words are read, and nothing is done. */
async function inert(): Promise<Command> {
  const vipd = new Command('vipd').exitOverride().enablePositionalOptions()
  for (const load of Object.values(commands))
    vipd.addCommand(quiet((await load()).command(commands)))
  return quiet(vipd)
}

function quiet(command: Command): Command {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  for (const below of command.commands) quiet(below)
  if (command.commands.length === 0 && command.name() !== 'vipd') command.action(() => undefined)
  return command
}

async function complaint([program, ...given]: readonly string[]): Promise<string | null> {
  const args = program === 'keepalived' ? ['keepalived', ...given] : likeKeepalived(given)
  if (args[0] === 'keepalived') {
    const read = readKeepalivedOptions(args.slice(1))
    return 'ended' in read && read.ended.status !== 0 ? (read.ended.error ?? 'refused') : null
  }
  try {
    await (await inert()).parseAsync([...args], { from: 'user' })
    return null
  } catch (error) {
    assert.ok(error instanceof CommanderError, String(error))
    return error.exitCode === 0 ? null : error.message
  }
}

test('every command line of the book is taken', async () => {
  const lines = commandLines()
  assert.ok(lines.length > 40, String(lines.length))
  for (const { place, words } of lines)
    assert.equal(await complaint(words), null, `${place}: ${words.join(' ')}`)
})

test('a command or an option that is not there is seen', async () => {
  assert.match((await complaint(['vipd', 'promote'])) ?? '', /unknown command/)
  assert.match((await complaint(['vipd', 'status', '--yaml'])) ?? '', /unknown option/)
  assert.match((await complaint(['vipd', 'failover'])) ?? '', /missing required argument/)
  assert.ok((await complaint(['keepalived', '--none'])) !== null)
})
