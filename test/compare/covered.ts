/**
 * Which lines that keepalived names are answered for by a line that vipd names. The two word one mistake at different
 * places: keepalived names the end of a block where vipd names its beginning, and each line of a block that it does not know.
 */

type Block = { readonly first: number; readonly last: number }

/** Blocks of the text by their braces: first line, and that of the closing brace. Comments and quotes are cut. */
function blocksOf(text: string): readonly Block[] {
  const braces = text.split('\n').flatMap((line, i) => {
    const plain = (line.split(/[#!]/)[0] ?? '').replace(/"[^"]*"/g, '').trim()
    return [...plain].map((char) => ({ char, at: i + 1, first: plain === '{' ? i : i + 1 }))
  })
  const open: number[] = []
  return braces.flatMap(({ char, at, first }): Block[] => {
    if (char === '{') open.push(first)
    const begun = char === '}' ? open.pop() : undefined
    return begun === undefined ? [] : [{ first: begun, last: at }]
  })
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
