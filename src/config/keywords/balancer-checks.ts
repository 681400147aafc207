/** What a block of the load balancer needs besides good lines: an address, servers, a protocol, a way to forward. */

import { parseIp } from '../../base/ip.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'

/** `virtual_server IP [PORT]`, `virtual_server fwmark N`, `virtual_server group NAME`. */
export function checkService(node: Node, lowering: Lowering): void {
  const [first, second] = node.args
  if (first === undefined) {
    lowering.missingOperand(node.place, 'virtual_server needs IP PORT, fwmark N or group NAME')
    return
  }
  if (first.text === 'fwmark') checkMark(second, node, lowering)
  else if (first.text !== 'group') checkHost('virtual_server', node, lowering)
  const lines = new Set(node.block?.map(({ keyword }) => keyword.text))
  const lacks = missingOf(lines, /^(fwmark|group)$/.test(first.text))
  if (lacks !== null) lowering.error(node.place, 'incomplete-server', `virtual_server ${lacks}`)
  if (first.text !== 'fwmark' || !lines.has('protocol')) return
  const message = 'virtual_server fwmark takes any protocol; the one that is written means nothing'
  lowering.error(node.place, 'protocol-ignored', message)
}

/** keepalived fills these in, and calls the file wrong. */
function missingOf(lines: ReadonlySet<string>, anyProtocol: boolean): string | null {
  if (!lines.has('real_server')) return 'has no real_server'
  if (!anyProtocol && !lines.has('protocol')) return 'has no protocol'
  if (!lines.has('lb_algo') && !lines.has('lvs_sched')) return 'has no scheduler (lb_algo)'
  if (!lines.has('lb_kind') && !lines.has('lvs_method'))
    return 'has no way to forward packets (lb_kind)'
  return null
}

/** `real_server IP [PORT]`. */
export function checkServer(node: Node, lowering: Lowering): void {
  if (node.args.length > 0) checkHost('real_server', node, lowering)
  else lowering.missingOperand(node.place, 'real_server needs IP PORT')
}

/** `required`: a keyword that must stand in the block; '' for none. */
export function checkRequired(node: Node, required: string, lowering: Lowering): void {
  const there = node.block?.some(({ keyword }) => keyword.text === required) === true
  if (required === '' || there) return
  const message = `${node.keyword.text} needs ${required}`
  lowering.error(node.place, 'incomplete-server', message)
}

/** Every word behind the keyword must match. */
export function checkWords(pattern: RegExp, node: Node, lowering: Lowering): void {
  const wrong = node.args.find(({ text }) => !pattern.test(text))
  if (wrong === undefined) return
  const message = `${node.keyword.text} ${wrong.text} is not what belongs there; the line is ignored`
  lowering.error(wrong, 'bad-words', message)
}

/** A line of a virtual_server_group: `IP[-LAST OCTET] [PORT]` or `fwmark N`. */
export function checkGroupEntry(node: Node, lowering: Lowering): void {
  const [first] = node.args
  if (node.keyword.text === 'fwmark') {
    checkMark(first, node, lowering)
    return
  }
  const [host = '', end] = node.keyword.text.split('-')
  const last = parseIp(host)?.includes(':') === true ? 0xffff : 255
  const value = Number.parseInt(end ?? '0', last === 255 ? 10 : 16)
  const good = value >= 0 && value <= last
  if (parseIp(host) === null || !good)
    lowering.error(
      node.keyword,
      'bad-address',
      `${node.keyword.text} is not an IP address or range`,
    )
  checkPort('virtual_server_group', first, lowering)
}

function checkHost(what: string, node: Node, lowering: Lowering): void {
  const [host, port] = node.args
  if (host !== undefined && parseIp(host.text) === null)
    lowering.error(host, 'bad-address', `${what} ${host.text} is not an IP address`)
  checkPort(what, port, lowering)
}

function checkPort(what: string, port: Word | undefined, lowering: Lowering): void {
  if (port === undefined) return
  const value = /^\d+$/.test(port.text) ? Number(port.text) : 0
  if (value >= 1 && value <= 65_535) return
  lowering.error(port, 'bad-number', `${what}: port ${port.text} is not in 1..65535`)
}

function checkMark(mark: Word | undefined, node: Node, lowering: Lowering): void {
  if (mark !== undefined && /^\d+$/.test(mark.text) && Number(mark.text) <= 0xffffffff) return
  const message = `fwmark ${mark?.text ?? ''} is not in 0..4294967295`
  lowering.error(mark ?? node.place, 'bad-number', message)
}
