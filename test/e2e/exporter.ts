/** keepalived-exporter 1.7.1's rules, in our words: what it reads from the dump files, and what makes it refuse them. */

export type Seen = {
  readonly instances: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly addresses: ReadonlyMap<string, readonly string[]>
  readonly excluded: ReadonlyMap<string, readonly string[]>
  readonly scripts: ReadonlyMap<string, ReadonlyMap<string, string>>
}

const states = ['INIT', 'BACKUP', 'MASTER', 'FAULT']

type Field = { readonly key: string; readonly value: string; readonly list: readonly string[] }

/** keepalived.data. Throws where the exporter gives up. */
export function readData(text: string): Seen {
  const instances = blocks(text, ' VRRP Instance')
  const lists = (begin: string) =>
    new Map(
      [...instances].map(([name, fields]) => [
        name,
        fields.filter(({ key }) => key.startsWith(begin)).flatMap(({ list }) => list),
      ]),
    )
  const seen = {
    instances: values(instances),
    addresses: lists('Virtual IP ('),
    excluded: lists('Virtual IP Excluded'),
    scripts: values(blocks(text, ' VRRP Script')),
  }
  for (const fields of instances.values())
    if (fields.some(({ key, list }) => /^(State|Wantstate)$/.test(key) && list.length > 0))
      throw new Error('a list follows a state')
  for (const [instance, found] of seen.instances) requireFields(instance, found)
  for (const all of [seen.addresses, seen.excluded])
    for (const list of all.values()) requireDistinct(list)
  return seen
}

const values = (all: ReadonlyMap<string, readonly Field[]>) =>
  new Map(
    [...all].map(([name, fields]) => [
      name,
      new Map(fields.map(({ key, value }) => [key, value] as const)),
    ]),
  )

/** By name, what stands under the lines that begin so and have a `=`, as far as it is indented by three spaces. */
function blocks(text: string, head: string): ReadonlyMap<string, readonly Field[]> {
  const lines = text.split('\n')
  const found = new Map<string, readonly Field[]>()
  for (const [at, line] of lines.entries()) {
    if (!line.startsWith(head) || !line.includes('=')) continue
    const rest = lines.slice(at + 1)
    const length = rest.findIndex((next) => !next.startsWith('   '))
    found.set(line.split('=')[1]?.trim() ?? '', fieldsOf(rest.slice(0, length)))
  }
  return found
}

/** Three or four spaces: a key with its value; five: of the list under the last key. */
function fieldsOf(lines: readonly string[]): readonly Field[] {
  const fields: { key: string; value: string; list: string[] }[] = []
  for (const line of lines) {
    const separator = line.includes('=') ? '=' : ':'
    if (/^ {5,}\S/.test(line)) fields.at(-1)?.list.push(line.trim())
    else if (line.includes(separator)) {
      const at = line.indexOf(separator)
      fields.push({ key: line.slice(0, at).trim(), value: line.slice(at + 1).trim(), list: [] })
    }
  }
  return fields
}

function requireFields(instance: string, found: ReadonlyMap<string, string>): void {
  for (const key of ['State', 'Wantstate'])
    if (!states.includes(found.get(key) ?? '')) throw new Error(`${instance}: ${key}`)
  for (const key of ['Gratuitous ARP delay', 'Virtual Router ID'])
    if (!/^\d+$/.test(found.get(key) ?? '')) throw new Error(`${instance}: ${key}`)
  if ((found.get('Interface') ?? '') === '') throw new Error(`${instance}: Interface`)
}

/** Word 1 is the address, word 3 the interface. */
function requireDistinct(list: readonly string[]): void {
  const labels = list.map((text) => text.split(' '))
  if (labels.some((words) => words.length < 3)) throw new Error(`too few words: ${list}`)
  const pairs = labels.map((words) => `${words[0]} ${words[2]}`)
  if (new Set(pairs).size < pairs.length) throw new Error(`an address twice: ${list}`)
}

/** keepalived.stats: `NAME/SECTION/KEY` → count. Throws where the exporter gives up. */
export function readStats(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  let path: readonly string[] = []
  for (const line of text.split('\n').filter((line) => line !== '')) {
    const [, indent = '', key = '', value = ''] = /^( *)(\S.*?):(?: (.*))?$/.exec(line) ?? []
    const depth = indent.length / 2
    if (depth === 0) path = [value]
    else if (value === '') path = [path[0] ?? '', key]
    else if (/^\d+$/.test(value))
      counts.set([...path.slice(0, depth), key].join('/'), Number(value))
    else throw new Error(`no number: ${line}`)
  }
  return counts
}
