/** What keepalived's data dump (SIGUSR1) says of each instance, under the names that `values.ts` gives vipd's. */
import type { Values } from './values.ts'

const yes = (text: string): string => String(/^(yes|true|enabled)$/i.test(text))
const seconds = (text: string): string => String(Number.parseFloat(text))

/** Line of the dump → name of the value and how it is written. */
const fields: Readonly<Record<string, readonly [string, (text: string) => string]>> = {
  Interface: ['interface', (text) => text],
  'VRRP Version': ['version', (text) => text],
  'Virtual Router ID': ['vrid', (text) => text],
  Priority: ['priority', (text) => text],
  'Advert interval': ['advert_int', (text) => milliseconds(text)],
  'Down timer adverts': ['down_timer_adverts', (text) => text],
  'Multicast address': ['group', (text) => text],
  'Unicast TTL': ['unicast_ttl', (text) => text],
  'Check unicast src': ['check_unicast_src', yes],
  'Gratuitous ARP delay': ['garp_master_delay', seconds],
  'Gratuitous ARP repeat': ['garp_master_repeat', (text) => text],
  'Gratuitous ARP refresh': ['garp_master_refresh', seconds],
  'Gratuitous ARP lower priority delay': ['garp_lower_prio_delay', seconds],
  'Gratuitous ARP lower priority repeat': ['garp_lower_prio_repeat', (text) => text],
  Preempt: ['preempt', yes],
  'Preempt delay': ['preempt_delay', seconds],
  Accept: ['accept', yes],
  'Authentication type': ['auth', (text) => (text === 'SIMPLE_PASSWORD' ? 'PASS' : text)],
  'Using smtp notification': ['smtp_alert', yes],
  'Notify deleted': ['notify_deleted', (text) => text.toUpperCase()],
}

/** Lists of the dump: each line below, by its first word. */
const lists: Readonly<Record<string, string>> = {
  'Virtual IP': 'addresses',
  'Virtual IP Excluded': 'excluded',
  'Unicast Peer': 'peers',
  'Tracked scripts': 'track_script',
  'Tracked interfaces': 'track_interface',
  'Tracked files': 'track_file',
  'Tracked processes': 'track_process',
}

/** Version 3 is dumped in milliseconds, version 2 in seconds. */
function milliseconds(text: string): string {
  const [, number = '', unit = ''] = /^([\d.]+) ?(\w+)/.exec(text) ?? []
  return String(Math.round(Number(number) * (unit.startsWith('sec') ? 1_000 : 1)))
}

/** Instance name → its values. */
export function parseDump(text: string): ReadonlyMap<string, Values> {
  const topology = text.slice(text.indexOf('VRRP Topology'))
  const instances = topology.split(/^ VRRP Instance = /m).slice(1)
  return new Map(instances.map((one) => [one.split('\n', 1)[0]?.trim() ?? '', valuesIn(one)]))
}

const fieldLine = /^ {3}(\S[^=:(]*?) *(?:\(\d+\))? *[=:] *(.*)$/
const entryLine = /^ {5}(\S+)(.*)$/

function valuesIn(text: string): Values {
  const values: Record<string, string> = {}
  let list: string | null = null
  for (const line of text
    .split(/^------</m)[0]
    ?.split('\n')
    .slice(1) ?? []) {
    const entry = entryLine.exec(line)
    if (entry !== null) {
      if (list !== null)
        values[list] = [values[list], entryOf(list, entry)].filter(Boolean).join(' ')
      continue
    }
    const [, name = '', value = ''] = fieldLine.exec(line.replace('address ', 'address = ')) ?? []
    list = lists[name] ?? null
    const field = fields[name]
    if (field !== undefined && list === null) values[field[0]] ??= field[1](value.trim())
  }
  return values
}

const entryOf = (list: string, [, first = '', rest = '']: readonly string[]): string =>
  list === 'peers' ? `${first}${rest}` : first.replace(/,$/, '')
