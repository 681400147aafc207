/** What `--help` says behind the options: paragraphs, as wide as the terminal, which is how the options are set. */

/** For addHelpText. A paragraph that has lines of its own keeps them. */
export const afterHelp =
  (...paragraphs: readonly string[]) =>
  (): string => {
    const width = process.stdout.columns || 80
    return `\n${paragraphs.flatMap((it) => it.split('\n').map((line) => filled(line, width))).join('\n')}`
  }

/** Broken between words; one that is longer than a line stays whole. */
function filled(text: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
