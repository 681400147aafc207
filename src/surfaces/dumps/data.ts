/**
 * keepalived.data, with the labels and the indentation of keepalived 2.2.7. Left out is what vipd does not have: the
 * descriptors and pools of sockets, and settings of SNMP, D-Bus, LVS and of processes that it has not.
 */
import type {
  Dump,
  DumpCheck,
  DumpFile,
  DumpGroup,
  DumpInterface,
  DumpProcess,
  DumpScriptCheck,
} from '../../report/dump.ts'
import { instanceText, notifyText } from './instance-text.ts'
import { quoted, weightText } from './words.ts'

export function dataText(dump: Dump): string {
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`------< ${title} >------`, ...lines]
  return `${[
    ...section('Global definitions', globals(dump)),
    ...section('VRRP Topology', dump.instances.flatMap(instanceText)),
    ...section('VRRP Sync groups', dump.groups.flatMap(groupText)),
    ...section('VRRP Scripts', dump.scripts.flatMap(scriptLines)),
    ...section('VRRP Track files', dump.files.flatMap(fileText)),
    ...section('VRRP Track processes', dump.processes.flatMap(processText)),
    ...section('Interfaces', dump.interfaces.flatMap(interfaceText)),
  ].join('\n')}\n`
}

const globals = (dump: Dump): readonly string[] => [
  ' Network namespace = (default)',
  ` Router ID = ${dump.routerId}`,
  ` Dynamic interfaces = ${dump.dynamicInterfaces}`,
  ` FIFO write vrrp states on reload = ${dump.fifoStatesOnReload}`,
  ` Script security ${dump.scriptSecurity ? 'enabled' : 'disabled'}`,
]

const groupText = (group: DumpGroup): readonly string[] => [
  ` VRRP Sync Group = ${group.name}, ${group.state}`,
  `   Num member fault ${group.inFault}, num member init ${group.inInit}`,
  '   VRRP member instances :',
  ...group.members.map((name) => `     ${name}`),
  ...(group.trackingWeight ? ['   sync group tracking weight set'] : []),
  ...notifyText(group.notify, false),
]

const tracking = ({ trackedBy }: DumpCheck | DumpInterface, title: string): readonly string[] =>
  trackedBy.length === 0
    ? []
    : [`   ${title} :`, ...trackedBy.map((it) => `     ${it.name}, ${weightText(it)}`)]

const statusWord = (good: boolean | null): string =>
  good === null ? 'INIT' : good ? 'GOOD' : 'BAD'

const scriptLines = (it: DumpScriptCheck): readonly string[] => [
  ` VRRP Script = ${it.name}`,
  `   Command = ${quoted(it.command)}`,
  `   Interval = ${it.intervalSeconds} sec`,
  `   Timeout = ${it.timeoutSeconds} sec`,
  `   ${weightText({ ...it }).replace('weight', 'Weight =')}`,
  `   Rise = ${it.rise}`,
  `   Fall = ${it.fall}`,
  `   Result = ${it.result}`,
  '   Insecure = no',
  '   Init state = unknown',
  `   Status = ${statusWord(it.good)}`,
  `   Script uid:gid = ${it.uid}:${it.gid}`,
  '   VRRP instances :',
  ...tracking(it, 'Tracking instances'),
  '   State = idle',
]

const fileText = (it: DumpFile): readonly string[] => [
  ` Track file = ${it.name}`,
  `   File = ${it.path}`,
  `   Status = ${it.value}`,
  `   ${weightText(it).replace('weight', 'Weight =')}`,
  ...tracking(it, 'Tracking instances'),
]

const processText = (it: DumpProcess): readonly string[] => [
  ` VRRP Track process = ${it.name}`,
  `   Process = ${it.process}`,
  `   Min processes = ${it.least}`,
  ...(Number.isFinite(it.most) ? [`   Max processes = ${it.most}`] : []),
  `   Current processes = ${it.current}`,
  `   Have quorum = ${it.good === true}`,
  `   ${weightText(it).replace('weight', 'Weight =')}`,
  `   Terminate delay = ${it.lossSeconds.toFixed(6)}s`,
  `   Fork delay = ${it.gainSeconds.toFixed(6)}s`,
  '   Fork delay timer not running',
  '   Terminate delay timer not running',
  `   Full command = ${it.full}`,
  ...tracking(it, 'Tracking instances'),
]

function interfaceText(it: DumpInterface): readonly string[] {
  const [ip4 = '(none)', ...more4] = it.ip4
  const [ip6 = '(none)', ...more6] = it.ip6
  const additional = (family: string, all: readonly string[]) =>
    all.length === 0
      ? []
      : [`   Additional ${family} addresses :`, ...all.map((address) => `     ${address}`)]
  return [
    ` Name = ${it.name}`,
    `   index = ${it.ifindex}`,
    `   IPv4 address = ${ip4}`,
    ...additional('IPv4', more4),
    `   IPv6 address = ${ip6}`,
    ...additional('IPv6', more6),
    ...(it.mac === null ? [] : [`   MAC = ${it.mac}`]),
    `   State = ${it.up ? 'UP, RUNNING' : 'not UP, not RUNNING'}`,
    `   MTU = ${it.mtu}`,
    ...tracking(it, 'Tracking VRRP instances'),
  ]
}
