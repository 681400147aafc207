/** What the file of a command exports. */
import type { Command } from 'commander'

export type Commands = Readonly<Record<string, () => Promise<CommandFile>>>

export type CommandFile = {
  /** `all`: for the command that completes the words of every other. */
  readonly command: (all: Commands) => Command
  /** Asked by programs alone, and in no help. */
  readonly hidden?: boolean
  /** `--help` is a word of the command itself. */
  readonly ownHelp?: boolean
}
