/** Text of the configuration as octets: UTF-8, with `\r`, `\n`, `\t`, `\\` and `\xNN`. */
export function octetsOf(text: string): Uint8Array {
  const encoder = new TextEncoder()
  const named: Readonly<Record<string, number>> = { r: 13, n: 10, t: 9, '\\': 92 }
  const octets: number[] = []
  for (const piece of text.match(/\\x[0-9a-fA-F]{2}|\\[rnt\\]|[^\\]+|\\/g) ?? []) {
    const escaped = piece.startsWith('\\') && piece.length > 1
    if (!escaped) octets.push(...encoder.encode(piece))
    else octets.push(named[piece.slice(1)] ?? Number.parseInt(piece.slice(2), 16))
  }
  return Uint8Array.from(octets)
}
