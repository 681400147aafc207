/** `global_defs`: SNMP. Off unless one of the MIBs is switched on. */
import type { GlobalDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GlobalEntry, Values } from '../grammar/entries.ts'
import { inBlock, text, word } from '../grammar/make.ts'
import { isLoopback } from '../http.ts'
import type { Node } from '../language/tree-types.ts'
import { readSnmpSocket, type SnmpConfig, snmpSocketText } from '../snmp.ts'

type Switches = Partial<Omit<SnmpConfig, 'socket'>>

const on = (name: string, what: Switches, doc: string) => ({
  name,
  default: 'off',
  doc,
  set: (draft: GlobalDraft) => {
    draft.snmp = { ...draft.snmp, ...what }
  },
})

const both = { rfc2787: true, rfc6527: true } as const

export const snmpKeywords: readonly GlobalEntry[] = inBlock<GlobalDraft>('global_defs', [
  on(
    'enable_snmp_vrrp',
    { keepalived: true },
    'SNMP: KEEPALIVED-MIB without the load balancer’s parts, through a master agent (net-snmp’s `snmpd`). Nothing can be set. See docs/snmp.md.',
  ),
  on(
    'enable_snmp_keepalived',
    { keepalived: true },
    'SNMP: the same as `enable_snmp_vrrp`; vipd has no load balancer.',
  ),
  on('enable_snmp_rfc', both, 'SNMP: the MIBs of RFC 2787 and RFC 6527.'),
  on('enable_snmp_rfcv2', { rfc2787: true }, 'SNMP: VRRP-MIB (RFC 2787), instances of version 2.'),
  on(
    'enable_snmp_rfcv3',
    { rfc6527: true },
    'SNMP: VRRPV3-MIB (RFC 6527), instances of both versions.',
  ),
  on(
    'enable_traps',
    { traps: true },
    'SNMP: notifications of changes of state, those of each MIB that is switched on.',
  ),
  {
    name: 'snmp_socket',
    once: true,
    args: [word('ADDRESS')],
    missing: 'config',
    extra: 'error',
    default: '`unix:/var/agentx/master`',
    doc: 'Where the SNMP master agent is: `unix:PATH`, `tcp:ADDRESS:PORT`, `tcp6:[ADDRESS]:PORT`, or the same without the word before it; of names `localhost` alone. AgentX is neither encrypted nor authenticated: keep TCP on the host. `-A` of keepalived’s command line counts before it.',
    set: setSocket,
  },
])

function setSocket(draft: GlobalDraft, values: Values, node: Node, lowering: Lowering): void {
  const written = text(values)
  const socket = readSnmpSocket(written)
  if (socket !== null) {
    draft.snmp = { ...draft.snmp, socket }
    if (socket.kind === 'tcp' && !isLoopback(socket.host)) {
      const message = `AgentX to ${written} is neither encrypted nor authenticated: snmpd belongs on this host`
      lowering.warning(node.args[0] ?? node.place, 'agentx-in-clear', message)
    }
  } else {
    const message = `AgentX is spoken over unix:PATH or tcp:ADDRESS:PORT, not over ${written}; ${snmpSocketText(draft.snmp.socket)} is used`
    lowering.lost(node.args[0] ?? node.place, 'bad-snmp-socket', message)
  }
}
