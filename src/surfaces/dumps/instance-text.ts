/** An instance's part of keepalived.data. Exporters read it by indentation: one space, three, five. */
import type { DumpInstance, DumpNotify } from '../../report/dump.ts'
import { addressText, instantText, onOff, scriptText, weightText, yesNo } from './words.ts'

export function instanceText(it: DumpInstance): readonly string[] {
  return [
    ` VRRP Instance = ${it.name}`,
    ...[...head(it), ...announcements(it), ...protocol(it), ...addresses(it), ...trackers(it)].map(
      (line) => `   ${line}`,
    ),
    ...notifyText(it.notify, true),
  ]
}

function head(it: DumpInstance): readonly string[] {
  const { master } = it
  return [
    `VRRP Version = ${it.version}`,
    ...(it.family === 6 ? ['Using Native IPv6'] : []),
    ...(it.group === null ? [] : [`Sync group = ${it.group}`]),
    `State = ${it.state}`,
    ...(master === null
      ? []
      : [`Master router = ${master.address}`, `Master priority = ${master.priority}`]),
    ...(master === null || it.version === 2
      ? []
      : [`Master advert int = ${master.advertSeconds.toFixed(2)} sec`]),
    ...flags(it),
    `Wantstate = ${it.state}`,
    'Number of config faults = 0',
    `Number of interface and track script faults = ${it.faults}`,
    `Number of track scripts init = ${it.pending}`,
    `Last transition = ${instantText(it.lastTransitionMs)}`,
    `Read timeout = ${it.dueMs === null ? 'DISABLED' : instantText(it.dueMs)}`,
    `Master down timer = ${it.masterDownUs} usecs`,
    `Interface = ${it.interface}`,
    `Using src_ip = ${it.source}${it.sourceConfigured ? ' (from configuration)' : ''}`,
  ]
}

/** The flag of nopreempt has no words there. */
function flags({ transport, preempt }: DumpInstance): readonly string[] {
  if (transport.kind === 'unicast') return ['Flags:', '  Using unicast']
  return [preempt ? 'Flags: none' : 'Flags:']
}

function announcements({ garp, family, transport, ...it }: DumpInstance): readonly string[] {
  const where = transport.kind === 'unicast' || family === 4 ? '' : `, ifindex ${transport.ifindex}`
  return [
    ...(transport.kind === 'unicast' ? [] : [`Multicast address ${transport.group}${where}`]),
    `Gratuitous ARP delay = ${garp.delay}`,
    `Gratuitous ARP repeat = ${garp.repeat}`,
    `Gratuitous ARP refresh = ${garp.refresh}`,
    `Gratuitous ARP refresh repeat = ${garp.refreshRepeat}`,
    `Gratuitous ARP lower priority delay = ${garp.lowerPrioDelay}`,
    `Gratuitous ARP lower priority repeat = ${garp.lowerPrioRepeat}`,
    `Down timer adverts = ${it.downTimerAdverts}`,
    `Send advert after receive lower priority advert = ${!it.lowerPrioNoAdvert}`,
    `Send advert after receive higher priority advert = ${it.higherPrioSendAdvert}`,
  ]
}

function protocol(it: DumpInstance): readonly string[] {
  const { master, version } = it
  return [
    `Virtual Router ID = ${it.vrid}`,
    `Priority = ${it.priority}`,
    `Effective priority = ${it.effectivePriority}`,
    `Total priority = ${it.effectivePriority}`,
    `Advert interval = ${intervalText(version, it.advertSeconds)}`,
    ...(master === null || version === 2
      ? []
      : [`Master advert interval = ${intervalText(version, master.advertSeconds)}`]),
    `Accept = ${onOff(it.accept)}`,
    `Preempt = ${onOff(it.preempt)}`,
    ...(it.preemptDelay > 0 ? [`Preempt delay = ${it.preemptDelay} secs`] : []),
    `Promote_secondaries = ${onOff(it.promoteSecondaries)}`,
    ...authentication(it),
  ]
}

const intervalText = (version: 2 | 3, seconds: number): string =>
  version === 2 ? `${seconds} sec` : `${Math.round(seconds * 1_000)} milli-sec`

/** The password is not told, as in keepalived 2.4. */
function authentication({ version, password, ah }: DumpInstance): readonly string[] {
  if (version === 3) return []
  if (ah) return ['Authentication type = IPSEC_AH', 'Password = ********']
  return password
    ? ['Authentication type = SIMPLE_PASSWORD', 'Password = ********']
    : ['Authentication type = none']
}

function addresses({ addresses: own, excluded, transport, family }: DumpInstance) {
  const unicast =
    transport.kind === 'multicast'
      ? []
      : [
          ...(family === 4 ? [`Unicast TTL = ${transport.ttl ?? 255}`] : []),
          `Check unicast src : ${yesNo(transport.checkSource)}`,
          'Unicast Peer :',
          ...transport.peers.map(
            ({ address, minTtl, maxTtl }) => `  ${address} min_ttl ${minTtl} max_ttl ${maxTtl}`,
          ),
          'Unicast checksum compatibility = no',
        ]
  return [
    `Virtual IP (${own.length}):`,
    ...own.map((address) => `  ${addressText(address)}`),
    ...(excluded.length === 0 ? [] : ['Virtual IP Excluded :']),
    ...excluded.map((address) => `  ${addressText(address)}`),
    ...unicast,
  ]
}

function trackers(it: DumpInstance): readonly string[] {
  const list = <T>(title: string, all: readonly T[], text: (one: T) => string) =>
    all.length === 0 ? [] : [title, ...all.map((one) => `  ${text(one)}`)]
  const comma = (one: DumpInstance['files'][number]) => `${one.name}, ${weightText(one)}`
  const plain = (one: DumpInstance['files'][number]) => `${one.name} ${weightText(one)}`
  return [
    ...list('Tracked interfaces :', it.interfaces, plain),
    ...list('Tracked scripts :', it.scripts, plain),
    ...list('Tracked files :', it.files, comma),
    ...list('Tracked processes :', it.processes, comma),
  ]
}

/** `whole`: an instance's; a group's has less. */
export function notifyText(notify: DumpNotify, whole: boolean): readonly string[] {
  const script = (title: string, it: DumpNotify['any']) =>
    it === null ? [] : [`   ${title} transition script = ${scriptText(it)}`]
  return [
    `   Using smtp notification = ${yesNo(notify.mail)}`,
    ...(whole ? [`   Notify deleted = ${notify.saysDeleted ? 'Deleted' : 'Fault'}`] : []),
    ...script('Backup state', notify.backup),
    ...script('Master state', notify.master),
    ...script('Fault state', notify.fault),
    ...script('Stop state', notify.stop),
    ...script('Deleted state', notify.deleted),
    ...script('Generic state', notify.any),
    ...script('Master rx lower pri state', notify.masterRxLowerPri),
    ...(whole ? [`   Notify priority changes = ${notify.priorityChanges}`] : []),
  ]
}
