/**
 * Small files made from the keyword table, each with one thing unusual: a keyword without its word, a number at each
 * edge of its range, a sign, a unit, a word too many, a line twice, an empty block, a brace on the next line.
 */

import type { Argument, BlockName, Keyword } from '../../src/config/grammar/entries.ts'
import { keywords } from '../../src/config/keywords/table.ts'

export type Variation = { readonly block: BlockName; readonly line: string; readonly text: string }

const secured = 'global_defs {\n enable_script_security\n script_user root\n}\n'
const instance = (lines = ''): string =>
  `vrrp_instance V {\n interface eth0\n virtual_router_id 51\n ${lines}\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n`
const track = (what: string, name: string): string => instance(`${what} {\n ${name}\n }`)

const server = (lines: string): string => `real_server 10.0.0.8 80 {\n weight 1\n ${lines}\n }`
const service = (...lines: string[]): string =>
  `virtual_server 10.0.0.9 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n ${lines.join('\n ')}\n}\n`
const inServer = (line: string): string => `${instance()}${service(server(line))}`

/** A file in which the line stands in its block and nothing else is wrong. */
const places: Partial<Readonly<Record<BlockName, (line: string) => string>>> = {
  global_defs: (line) => `${secured.replace('}\n', ` ${line}\n}\n`)}${instance()}`,
  vrrp_instance: instance,
  vrrp_sync_group: (line) => `vrrp_sync_group Z {\n group {\n V\n }\n ${line}\n}\n${instance()}`,
  vrrp_script: (line) =>
    `${secured}vrrp_script s {\n script "/usr/bin/env"\n ${line}\n}\n${track('track_script', 's')}`,
  track_file: (line) => `track_file f {\n file /tmp/f\n ${line}\n}\n${track('track_file', 'f')}`,
  vrrp_track_process: (line) =>
    `vrrp_track_process p {\n process x\n ${line}\n}\n${track('track_process', 'p')}`,
  authentication: (line) => instance(`authentication {\n auth_type PASS\n ${line}\n }`),
  virtual_server: (line) => `${instance()}${service(line, server(''))}`,
  real_server: inServer,
  ...Object.fromEntries(
    Object.entries({
      HTTP_GET: 'url {\n path /\n }',
      SSL_GET: 'url {\n path /\n }',
      TCP_CHECK: '',
      PING_CHECK: '',
      SMTP_CHECK: '',
      DNS_CHECK: '',
      UDP_CHECK: '',
    }).map(([name, needed]) => [
      name,
      (line: string) => inServer(`${name} {\n ${needed}\n ${line}\n }`),
    ]),
  ),
  url: (line) => inServer(`HTTP_GET {\n url {\n path /\n ${line}\n }\n }`),
  host: (line) => inServer(`SMTP_CHECK {\n host {\n ${line}\n }\n }`),
}

/** Required in the file around the line: a second one is another matter. */
const surrounding = new Set(['process', 'file', 'script', 'interface', 'virtual_router_id'])
const newer = /^2\.(2\.[89]|[3-9])/

export function variations(): readonly Variation[] {
  return keywords.filter(isOfTheBinary).flatMap((keyword) => {
    const place = places[keyword.block]
    if (place === undefined) return []
    const lines = new Set([...forms(keyword), ...words(keyword)])
    return [...lines].map((line) => ({ block: keyword.block, line, text: place(line) }))
  })
}

const isOfTheBinary = ({ name, status, block, since = '', doc }: Keyword): boolean =>
  (status !== 'ignored' || !['root', 'global_defs', 'vrrp_instance'].includes(block)) &&
  !newer.test(since) &&
  !surrounding.has(name) &&
  !/^vipd[_’]/.test(name) &&
  !doc.startsWith('vipd’s own')

function forms({ name, form }: Keyword): readonly string[] {
  if (form === 'line') return [name, `${name} {\n }`]
  return [name, `${name} {\n }`, `${name}\n {\n }`, `${name} x {\n }`, `${name} {\n 99x\n }`]
}

function words({ name, args }: Keyword): readonly string[] {
  const values = valuesOf(args[0])
  const once = values.map((value) => `${name} ${value}`)
  return [...once, `${name} ${values[0]}\n ${name} ${values[0]}`]
}

function valuesOf(argument: Argument | undefined): readonly (string | number)[] {
  switch (argument?.kind) {
    case 'integer':
    case 'decimal': {
      const { min, max } = argument
      const others = ['-1', '0', '5s', '5.5', '0x5', 'x', '1e2', '"5"', '5 5', '5.0000001']
      return [min, min - 1, max, max + 1, `+${Math.max(1, min)}`, ...others, '9'.repeat(20)]
    }
    case 'switch':
      return ['on', 'off', 'yes', 'true', 'maybe', 'ON', '1', 'on off']
    case 'choice': {
      const [first = ''] = argument.values
      return [first, first.toLowerCase(), 'nope', `${first} x`]
    }
    case 'address':
      return ['10.0.0.5', 'fd00::5', 'x', '10.0.0.5/24', '224.0.0.20', 'ff02::13', '10.0.0']
    case undefined:
      return ['x']
    default:
      return ['x', 'x y', '"x y"']
  }
}

/** Differences that are meant, by the line; docs/compatibility-corpus.md has the reasons. */
export const explained: readonly RegExp[] = [
  // Lines of the load balancer that are wrong only beside others: a scheduler, a family, a sum of weights, a second script.
  /^(hashed|ops|hysteresis|quorum|[sm]h-(port|fallback)|sorry_server\w*|(lb_kind|lvs_method) NAT x)\b/,
  /^(bindto|sorry_server) f[df]|^(notify_(up|down)|quorum_(up|down)|weight 0|name x|require_reply|min_reply_length)\b/,
  /^real_server$/,
  /^smtp_server /,
  /^(fast_interval|down_interval|jitter|initial_delay|probe|combine)\b/,
  /^(dbus_no_interface_name|vrrp_ipsets|set_supplementary_groups|thread_timer_expired)\b/,
  /^(interval|timeout) (0\.001|5\.5)/,
  /^use_vmac\b/,
  /^track_bfd\b/,
]
