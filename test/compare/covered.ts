/**
 * Which lines that keepalived names are answered for by a line that vipd names. The two word one mistake at different
 * places: keepalived names the end of a block where vipd names its beginning, and each line of a block that it does not know.
 */

type Block = { readonly first: number; readonly last: number }

/** Blocks of the text by their braces, in comments too little to matter: first line, and that of the closing brace. */
function blocksOf(text: string): readonly Block[] {
  const open: number[] = []
  const blocks: Block[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const [plain = ''] = line.split(/[#!]/)
    for (const char of plain.replace(/"[^"]*"/g, '')) {
      if (char === '{') open.push(plain.trim() === '{' ? i : i + 1)
      else if (char === '}') {
        const first = open.pop()
        if (first !== undefined) blocks.push({ first, last: i + 1 })
      }
    }
  }
  return blocks
}

/** `skipped`: lines at which vipd says that it skips a whole block. */
export function uncovered(
  text: string,
  theirs: readonly number[],
  ours: ReadonlySet<number>,
  skipped: ReadonlySet<number>,
): readonly number[] {
  const blocks = blocksOf(text)
  const inside = (line: number) =>
    blocks.some(({ first, last }) => {
      const within = line >= first && line <= last
      const named = [...ours].some((one) => one >= first && one <= last)
      return within && ((line === last && named) || skipped.has(first))
    })
  return theirs.filter((line) => !ours.has(line) && !inside(line))
}
