/**
 * The rooms of `src/`, from the ground up: what each is for and which rooms below it it may import. The only table of
 * that kind: `walls.ts` holds every import against it, and CONTRIBUTING.md's map is written from it. A room can name
 * only rooms above its own line, so no arrow can run up and no circle can close.
 */
export type Room = {
  /** Folder below `src/`. */
  readonly path: string
  readonly what: string
  /** Rooms whose files it may import, besides its own. `config/*`: all rooms below that folder. */
  readonly may: readonly string[]
  /** No package, no Node module, no clock, no chance: biome.json denies the globals. */
  readonly pure?: true
}

const room = (path: string, what: string, may: string, pure?: 'pure'): Room => ({
  path,
  what,
  may: may === '' ? [] : may.split(' '),
  ...(pure === undefined ? {} : { pure: true as const }),
})

export const rooms: readonly Room[] = [
  room('base', 'time, addresses, bytes, limits, errors, the log as a type', '', 'pure'),
  room('plot', 'pictures (SVG) and pages (HTML) from figures', '', 'pure'),
  room('sockets', 'Unix sockets: whether a process answers', ''),
  room('addon', 'finds and loads the native addon; its bindings', ''),
  room('wire', 'VRRP, ARP, NDP, DNS, rtnetlink, BPF: bytes ↔ values', 'base', 'pure'),
  room(
    'election',
    '`step(params, state, event, now)`, sync groups, priorities',
    'base wire',
    'pure',
  ),
  room(
    'bfd',
    'the BFD session (RFC 5880): `stepBfd(session, params, event)` and what follows for the engine',
    'base wire',
    'pure',
  ),
  room('programs', 'starts a program, keeps its last output, says how it ended', 'base addon'),
  room('threads', 'threads that are watched and replaced', 'base programs'),
  room(
    'engine',
    'the contract, the native engine behind it, plans from states',
    'base addon wire election',
  ),
  room(
    'kernel',
    'the mirror of links and addresses, what is ours in the kernel, the sweep',
    'base addon wire threads engine',
  ),
  room('config', 'the configuration as a value', 'base', 'pure'),
  room(
    'config/language',
    'text → lines → tree: includes, definitions, places of mistakes',
    'base config',
    'pure',
  ),
  room('config/draft', 'what the keywords fill', 'base config config/language', 'pure'),
  room(
    'config/grammar',
    'kinds of argument, what an entry of the table is',
    'base config config/language config/draft',
    'pure',
  ),
  room(
    'config/scripts',
    'what a command or a probe means, and whether a script can be trusted',
    'base config config/language config/draft',
    'pure',
  ),
  room(
    'config/keywords',
    'the keyword table, by block',
    'base config config/language config/draft config/grammar config/scripts',
    'pure',
  ),
  room(
    'config/build',
    'tree → draft → configuration',
    'base config config/language config/draft config/grammar config/scripts config/keywords',
    'pure',
  ),
  room(
    'config/explain',
    'what `vipd check` says; the documentation of the keywords',
    'base config config/*',
    'pure',
  ),
  room(
    'loading',
    'reads a configuration on a thread of its own, within bounds; whether it has changed since',
    'base addon threads config config/*',
  ),
  room('checks/verdict', 'what a check is, rise and fall, schedules, records', 'base programs'),
  room('checks/local', 'processes, files, modules', 'base addon programs threads checks/verdict'),
  room('checks/probes', 'probes of services', 'base addon wire programs checks/verdict'),
  room(
    'checks/pool',
    'many checks at once in worker threads',
    'base programs threads checks/verdict checks/local checks/probes',
  ),
  room(
    'notify',
    'notify scripts, FIFOs, mail, in a thread',
    'base addon config programs threads checks/verdict',
  ),
  room('report', 'what the daemon says of itself, as plain values', 'base election checks/verdict'),
  room('doctor', 'what `vipd doctor` finds: from facts to findings', 'base report', 'pure'),
  room(
    'doctor/collect',
    'reads those facts of the host, in a process of its own',
    'base addon config config/* loading doctor',
  ),
  room('surfaces/feed', 'statuses on their way to the thread of a surface', 'base report'),
  room('surfaces/dumps', 'keepalived’s dump files, from plain values', 'base report'),
  room('surfaces/metrics', 'what Prometheus scrapes, from statuses', 'base report', 'pure'),
  room(
    'surfaces/page',
    'the page: what the browser runs; it can import only types of other rooms',
    'report',
  ),
  room(
    'surfaces/http',
    'metrics, health, events, orders and the page, in a thread, from statuses',
    'base sockets threads config report surfaces/feed surfaces/metrics surfaces/page',
  ),
  room(
    'surfaces/dbus',
    'keepalived’s objects on the system’s D-Bus, in a thread, from statuses and transitions',
    'base wire threads report surfaces/feed',
  ),
  room(
    'surfaces/snmp',
    'a subagent of an SNMP master agent, in a thread, from statuses',
    'base wire threads config report surfaces/feed',
  ),
  room(
    'surfaces/history',
    'transitions on the disk, over restarts, written in a thread',
    'base threads report',
  ),
  room('router', 'orders on their way to the engine', 'base engine'),
  room(
    'router/bfd',
    'the BFD sessions of the configuration: packets in, orders out; log, status',
    'base bfd config election wire engine kernel report',
  ),
  room(
    'router/binding',
    'what the kernel has for an instance: interface, sockets, facts of a slot',
    'base config config/build election wire engine kernel report router',
  ),
  room(
    'router/reload',
    'a reload as a value',
    'base config config/language config/grammar config/keywords config/build engine',
    'pure',
  ),
  room(
    'router/claims',
    'other machines that claim an address: frames in, reports and announcements out',
    'base config wire engine report router',
  ),
  room(
    'router/tracking',
    'what an instance tracks',
    'base config election kernel checks/verdict router/binding',
  ),
  room(
    'router/dispatch',
    'instances and groups: events in, orders out',
    'base config config/build config/explain config/scripts election wire engine kernel notify report checks/verdict router router/bfd router/binding router/claims router/reload router/tracking',
  ),
  room(
    'router/hand-over',
    'giving the addresses away while they are served',
    'base config election report router/dispatch',
  ),
  room(
    'daemon',
    'the life cycle: start, reload, stop; log, firewall, warden',
    'base config config/explain config/build config/language election engine kernel threads loading notify report programs checks/* router router/*',
  ),
  room('control', 'the control socket, both ends', 'base sockets checks/verdict report daemon'),
  room(
    'tune',
    'from what was seen to budgets, proposals, replay and pictures',
    'base plot config config/language checks/verdict report',
  ),
  room(
    'lab',
    'hosts in network namespaces, for the demo and the tests',
    'base wire engine control',
  ),
  room('bench', '`vipd bench`: contenders, causes, trials, reports', 'base plot lab'),
  room(
    'cli',
    'one file per command; joins daemon and control',
    'base addon wire engine programs threads kernel config config/* loading checks/* report doctor doctor/collect surfaces/* router/* daemon control tune lab bench',
  ),
]
