/** A configured command as the program to start, with the words that the notification appends. */
import type { Command } from '../base/command.ts'
import type { Program } from '../programs/run.ts'

export type Prepared =
  | { readonly ok: true; readonly program: Program }
  | { readonly ok: false; readonly why: string }

/**
 * Appends `words` to argv. To a shell they are given as $1, $2, …, and unless the text refers to those or
 * ends in something that takes no words, also appended to it: `x.sh >> log` then calls x.sh with them.
 */
export function withWords(command: Command, words: readonly string[]): Prepared {
  switch (command.kind) {
    case 'argv':
      return { ok: true, program: { ...command, argv: [...command.argv, ...words] } }
    case 'shell': {
      const { shell } = command
      const text = takesWords(command.text)
        ? [command.text, ...words.map(quoted)].join(' ')
        : command.text
      const argv = [shell, '-c', text, shell, ...words]
      const confined = command.noNewPrivs === true ? { noNewPrivs: true as const } : {}
      return { ok: true, program: { kind: 'argv', argv, ...confined } }
    }
    case 'broken':
      return { ok: false, why: command.why }
    default:
      return { ok: false, why: 'a probe is not a program to be notified' }
  }
}

function takesWords(text: string): boolean {
  const refers = /\$([1-9@*]|\{[1-9@*])/.test(text)
  const closed = /(\b(fi|done|esac)|[};)&])\s*$/.test(text)
  return !refers && !closed
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
