/** Settings of interfaces against a kernel that is a table: who sets what, what is recorded before, what is set back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import type { Neighbours, WantedSetting } from '../../../src/kernel/link-settings.ts'
import type { ChangedSetting, OwnedObject } from '../../../src/kernel/marks.ts'
import { SettingsKeeper } from '../../../src/kernel/settings-keeper.ts'
import { sweepSettings } from '../../../src/kernel/sweep-settings.ts'
import {
  cString,
  encodeAttribute,
  encodeMessage,
  readAttributes,
  readU32,
  splitMessages,
  u32,
} from '../../../src/wire/netlink.ts'
import type { Ipv4Setting } from '../../../src/wire/rtnetlink-settings.ts'
import { link } from '../router/facts.ts'

const indexOf: Readonly<Record<Ipv4Setting, number>> = {
  forwarding: 1,
  rp_filter: 8,
  arp_announce: 18,
  arp_ignore: 19,
  promote_secondaries: 20,
  accept_local: 23,
}

/** Interfaces by index, each with its 33 settings, behind the requests that a kernel takes. */
class FakeKernel {
  readonly links = new Map<number, { name: string; values: number[] }>()
  readonly refused = new Set<number>()
  readonly done: string[] = []

  constructor() {
    this.add(2, 'eth0')
  }

  add(ifindex: number, name: string): void {
    this.links.set(ifindex, { name, values: Array.from({ length: 33 }, () => 0) })
  }

  value(name: Ipv4Setting, ifindex = 2): number | undefined {
    return this.links.get(ifindex)?.values[indexOf[name] - 1]
  }

  /** As through /proc/sys: the mirror is not told. */
  set(name: Ipv4Setting, value: number, ifindex = 2): void {
    const values = this.links.get(ifindex)?.values ?? []
    values[indexOf[name] - 1] = value
  }

  request(bytes: Uint8Array): Uint8Array {
    const [message] = splitMessages(bytes).messages
    assert(message !== undefined)
    const ifindex = readU32(message.body, 1) ?? 0
    const found = this.links.get(ifindex)
    if (found === undefined) throw new OpError('RTM_GETLINK', 'ENODEV')
    if (message.type === 18) {
      const inet = encodeAttribute(2, encodeAttribute(1, u32(...found.values)))
      const name = encodeAttribute(3, cString(found.name))
      const body = [u32(0, ifindex, 0, 0), name, encodeAttribute(26, inet)]
      return encodeMessage(16, 0, Buffer.concat(body))
    }
    if (this.refused.has(ifindex)) throw new OpError('RTM_NEWLINK', 'EPERM')
    const part = (of: Uint8Array | undefined, at: number) =>
      readAttributes(of ?? new Uint8Array(0))?.get(at)
    const conf = part(part(part(message.body.subarray(16), 26), 2), 1)
    for (const [at, value] of readAttributes(conf ?? new Uint8Array(0)) ?? []) {
      found.values[at - 1] = readU32(value) ?? 0
      this.done.push(`set ${at} of ${found.name} to ${readU32(value)}`)
    }
    return new Uint8Array(0)
  }
}

function open(kernel: FakeKernel, neighbours: readonly Neighbours[] = []) {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const log = { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() }
  const recorded: (readonly ChangedSetting[])[] = []
  const keeper = new SettingsKeeper({
    log,
    kernel: {
      linkByName: (name) => {
        const found = [...kernel.links].find(([, it]) => it.name === name)
        return found === undefined ? null : link(found[0], name)
      },
      // Never told of anything: each pass is asked for.
      settingsOf: () => null,
    },
    request: (bytes) => new Promise((resolve) => resolve(kernel.request(bytes))),
    record: (settings) => {
      recorded.push(settings)
      kernel.done.push(`record ${settings.length}`)
      return Promise.resolve()
    },
    neighbours: () => Promise.resolve(neighbours),
  })
  const settled = async () => {
    keeper.look()
    await keeper.settled(10_000)
  }
  return { keeper, lines, recorded, settled }
}

const ignore: WantedSetting = { interface: 'eth0', name: 'arp_ignore', value: 1 }
const announce: WantedSetting = { interface: 'eth0', name: 'arp_announce', value: 2 }
const changed = (more: Partial<ChangedSetting> = {}): ChangedSetting => ({
  kind: 'setting',
  interface: 'eth0',
  ifindex: 2,
  name: 'arp_ignore',
  ours: 1,
  original: 0,
  releasing: false,
  ...more,
})

test('recorded before it is set, set back when the last user goes, and then recorded no more', async () => {
  const kernel = new FakeKernel()
  const { keeper, recorded } = open(kernel)
  keeper.set([ignore, announce, ignore])
  await keeper.settled(10_000)
  assert.deepEqual(kernel.done, ['record 2', 'set 19 of eth0 to 1', 'set 18 of eth0 to 2'])
  assert.deepEqual(
    recorded[0]?.map(({ name, original }) => [name, original]),
    [
      ['arp_ignore', 0],
      ['arp_announce', 0],
    ],
  )
  keeper.set([ignore])
  await keeper.settled(10_000)
  assert.deepEqual([kernel.value('arp_ignore'), kernel.value('arp_announce')], [1, 0])
  await keeper.close(10_000)
  assert.deepEqual([kernel.value('arp_ignore'), recorded.at(-1)], [0, []])
})

test('what the operator has set already is not changed and not set back', async () => {
  for (const value of [1, 2]) {
    const kernel = new FakeKernel()
    kernel.set('arp_ignore', value)
    const { keeper, recorded } = open(kernel)
    keeper.set([ignore])
    await keeper.settled(10_000)
    assert.deepEqual([kernel.value('arp_ignore'), recorded], [value, [[]]])
    await keeper.close(10_000)
    assert.equal(kernel.value('arp_ignore'), value)
  }
})

test('what another program sets meanwhile is what it is set back to', async () => {
  const kernel = new FakeKernel()
  kernel.set('arp_ignore', 3)
  const { keeper, lines, recorded, settled } = open(kernel)
  keeper.set([ignore])
  await keeper.settled(10_000)
  kernel.set('arp_ignore', 0)
  await settled()
  assert.equal(kernel.value('arp_ignore'), 1)
  assert.match(lines.join('\n'), /arp_ignore of eth0 was changed from 1 to 0 by another program/)
  assert.equal(recorded.at(-1)?.[0]?.original, 0)
  await keeper.close(10_000)
  assert.equal(kernel.value('arp_ignore'), 0)
})

test('one that another program changes again and again is left to it for a while, and status says so', async () => {
  const kernel = new FakeKernel()
  const { keeper, settled } = open(kernel)
  keeper.set([ignore])
  await keeper.settled(10_000)
  for (let n = 0; n < 5; n++) {
    kernel.set('arp_ignore', 0)
    await settled()
  }
  assert.equal(kernel.value('arp_ignore'), 0)
  assert.match(keeper.warnings.join(), /arp_ignore of eth0 is not set: another program changes it/)
  await keeper.close(10_000)
})

test('an interface that is made anew is a new one; the one that has gone needs nothing', async () => {
  const kernel = new FakeKernel()
  const { keeper, recorded, settled } = open(kernel)
  keeper.set([ignore])
  await keeper.settled(10_000)
  kernel.links.delete(2)
  kernel.add(7, 'eth0')
  await settled()
  assert.equal(kernel.value('arp_ignore', 7), 1)
  assert.deepEqual(
    recorded.at(-1)?.map(({ ifindex }) => ifindex),
    [7],
  )
  await keeper.close(10_000)
  assert.equal(kernel.value('arp_ignore', 7), 0)
})

test('a refusal is said once, is in status, and is tried again', async () => {
  const kernel = new FakeKernel()
  kernel.refused.add(2)
  const { keeper, lines, settled } = open(kernel)
  keeper.set([ignore])
  await keeper.settled(10_000)
  await settled()
  assert.deepEqual(keeper.warnings, ['arp_ignore of eth0 is not set: RTM_NEWLINK: EPERM'])
  assert.equal(lines.filter((line) => line.includes('EPERM')).length, 1)
  kernel.refused.clear()
  await settled()
  assert.deepEqual([keeper.warnings, kernel.value('arp_ignore')], [[], 1])
  kernel.refused.add(2)
  await keeper.close(10_000)
  assert.match(keeper.warnings.join(), /EPERM/)
})

test('what another vipd has set has the original that it knows, and the last of the two sets it back', async () => {
  const kernel = new FakeKernel()
  kernel.set('arp_ignore', 1)
  const theirs = { runDir: '/run/other', settings: [changed()] }
  const { keeper, lines, recorded } = open(kernel, [theirs])
  keeper.set([ignore])
  await keeper.settled(10_000)
  assert.deepEqual(recorded.at(-1), [changed()])
  await keeper.close(10_000)
  assert.equal(kernel.value('arp_ignore'), 1)
  assert.match(lines.join('\n'), /is not set back: the vipd of \/run\/other needs it/)
  // Both stop at once: each sees the other's claim only until that one releases it too.
  const leaving = { runDir: '/run/other', settings: [changed({ releasing: true })] }
  const last = open(kernel, [leaving])
  last.keeper.set([ignore])
  await last.keeper.settled(10_000)
  await last.keeper.close(10_000)
  assert.equal(kernel.value('arp_ignore'), 0)
})

const swept = (
  kernel: FakeKernel,
  own: readonly OwnedObject[],
  theirs: readonly OwnedObject[] = [],
) => {
  const scope = { bootId: 'b', netns: 'n' }
  const record = (objects: readonly OwnedObject[]) =>
    ({ kind: 'record', record: { scope, pid: 1, objects } }) as const
  const neighbours = [{ runDir: '/run/other', record: record(theirs) }]
  const survey = { scope, own: record(own), lives: false, neighbours }
  return sweepSettings(survey, (bytes) => kernel.request(bytes))
}

test('the next start and the cleanup set back by identity', () => {
  const kernel = new FakeKernel()
  kernel.set('arp_ignore', 1)
  assert.deepEqual(swept(kernel, [changed()]).restored, ['arp_ignore of eth0 to 0'])
  assert.equal(kernel.value('arp_ignore'), 0)
  assert.deepEqual(swept(kernel, [changed()]), { restored: [], left: [], failed: [] }, 'it is so')
  kernel.set('arp_ignore', 2)
  const [other] = swept(kernel, [changed()]).left
  assert.match(other?.why ?? '', /another program has set it to 2/)
  assert.equal(kernel.value('arp_ignore'), 2)
  assert.deepEqual(swept(kernel, [changed({ ifindex: 9 })]).failed, [], 'the link has gone')
  kernel.set('arp_ignore', 1)
  const [kept] = swept(kernel, [changed()], [changed()]).left
  assert.match(kept?.why ?? '', /the vipd of \/run\/other needs it/)
  // A neighbour that took ours for the original sees it set back, and takes note.
  assert.equal(swept(kernel, [changed()], [changed({ original: 1 })]).restored.length, 1)
  kernel.set('arp_ignore', 1)
  kernel.refused.add(2)
  assert.match(swept(kernel, [changed()]).failed[0]?.why ?? '', /EPERM/)
})
