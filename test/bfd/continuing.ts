/** Whether BFD sessions go on in an upgrade, by what the daemon says of them and by what is on the wire. */
import assert from 'node:assert/strict'
import type { Capture } from '../../src/lab/capture.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { Status, StatusBfd } from '../../src/report/status.ts'
import { decodeBfd } from '../../src/wire/bfd.ts'

export const soonMs = 45_000
/** Also on a machine that has other things to do. */
export const realtime = 'vrrp_rt_priority 50\n  vrrp_no_swap'
/** For a capture: single hop and multihop, of either family. */
export const bfdFilter = 'udp port 3784 or udp port 4784'

export async function sessionsOf(daemon: Vipd): Promise<readonly StatusBfd[]> {
  const { stdout } = await daemon.ask('status', '--json')
  return (JSON.parse(stdout) as Status).bfd
}

/** What of a session another process changes nothing of. */
const lasting = (it: StatusBfd) => ({
  ...{ name: it.name, state: it.state, remoteState: it.remoteState },
  ...{ localDiagnostic: it.localDiagnostic, transitions: it.transitions },
  ...{ rejects: it.rejects, badTtl: it.badTtl },
})

/** Another process takes its place; each session goes on, and what is sent and heard is counted on. `silent`: they send nothing. */
export async function upgraded(daemon: Vipd, silent: readonly string[] = []): Promise<void> {
  const before = await sessionsOf(daemon)
  const { status, stdout, stderr } = await daemon.ask('upgrade', '--leave-parent')
  assert.equal(status, 0, `${stdout}${stderr}`)
  const after = await sessionsOf(daemon)
  assert.deepEqual(after.map(lasting), before.map(lasting))
  for (const [i, was] of before.entries()) {
    const is = after[i]
    assert.ok(is !== undefined)
    assert.ok(is.received > was.received || was.received === 0, `${is.name}: it does not count on`)
    if (silent.includes(is.name)) assert.equal(is.sent, was.sent, `${is.name}: it is not silent`)
    else assert.ok(is.sent > was.sent, `${is.name}: it does not count on`)
  }
}

/** Nothing was lost since that line, and no instance changed. */
export function keptUp(daemon: Vipd, from: number): void {
  const lines = daemon.child.output.items.slice(from).map(({ text }) => text)
  const changes = lines.filter((text) =>
    /Entering (Down|Init|Up|MASTER|BACKUP|FAULT)|Expired after/.test(text),
  )
  assert.deepEqual(changes, [])
}

type Datagram = {
  /** Both addresses in hexadecimal. */
  readonly path: string
  readonly ports: string
  readonly payload: Uint8Array
}

/** Behind Ethernet; the lab's packets have no options or extension headers. */
function datagram(bytes: Uint8Array): Datagram {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const six = frame.readUInt16BE(12) === 0x86dd
  const [from, length, udp] = six ? [14 + 8, 16, 14 + 40] : [14 + 12, 4, 14 + 20]
  const address = (at: number) => frame.toString('hex', at, at + length)
  return {
    path: `${address(from)} > ${address(from + length)}`,
    ports: `${frame.readUInt16BE(udp)} > ${frame.readUInt16BE(udp + 2)}`,
    payload: frame.subarray(udp + 8),
  }
}

/** Since that frame each sender has said the same thing over and over, from one port: `senders` paths of them. */
export function sameOnTheWire(capture: Capture, from: number, senders: number): void {
  const seen = new Map<string, Set<string>>()
  for (const { bytes } of capture.frames.items.slice(from)) {
    const { path, ports, payload } = datagram(bytes)
    const packet = decodeBfd(payload)
    assert.ok(packet.ok, path)
    const said = JSON.stringify({ ports, ...packet.value })
    seen.set(path, (seen.get(path) ?? new Set()).add(said))
  }
  for (const [path, packets] of seen)
    assert.equal(packets.size, 1, `${path} sent ${[...packets].join('; ')}`)
  assert.equal(seen.size, senders, [...seen.keys()].join('; '))
}

/** Packets go on. */
export const more = (capture: Capture, count: number): Promise<unknown> => {
  const from = capture.mark
  return until('packets go on', soonMs, () => capture.mark >= from + count)
}

/** The daemon's processes, whichever serves by now, at once. */
export async function killAll(host: Host): Promise<void> {
  const { stdout } = await host.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd'])
  await host.must('kill', ['-KILL', ...stdout.trim().split('\n')])
}
