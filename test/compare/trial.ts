/** One file given to one of the two daemons, each alone in a sandbox: what it made of the file. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from '../../src/lab/child.ts'
import { program } from '../../src/lab/program.ts'
import { until } from '../../src/lab/wait.ts'
import type { Asked } from '../config/corpus-inside.ts'
import { parseDump } from './dump.ts'
import { inSandbox, type Sandbox } from './sandbox.ts'
import { type CheckedInstance, type Values, valuesOf } from './values.ts'

export type Found = {
  /** Why the daemon ended by itself; null: it did not. */
  readonly ended: string | null
  readonly values: ReadonlyMap<string, Values>
  /** `VRID N` → the first advert's bytes in hexadecimal. */
  readonly adverts: ReadonlyMap<string, string>
  /** `INTERFACE ADDRESS/LENGTH`, without those that the host had before. */
  readonly addresses: readonly string[]
}

/** For a program to start, and for the last of its instances to lead, on a machine that has other work. */
const patienceMs = 30_000
/** After the first advert of each instance, for what it adds to the interface. */
const settleMs = 1_000
const vipd = program('../cli/run.js')
const asking = program('../../test/config/corpus-inside.js')
const dumpFile = '/tmp/keepalived.data'

/** Both checks, where the interfaces, scripts and users are that the file names. */
export async function askBothInside(path: string, links: readonly string[]): Promise<Asked> {
  return inSandbox(path, links, async ({ run }) => {
    const { stdout, stderr } = await run(process.execPath, [asking, path])
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as Asked
  })
}

export async function runKeepalived(path: string, links: readonly string[]): Promise<Found> {
  return observed(path, links, async ({ host, spawn }, allLead) => {
    const child = spawn('keepalived', ['-n', '-l', '-D', '-P', '-f', path])
    await settled(child, allLead)
    if (child.exit !== null) return { ended: lastWords(child), values: new Map() }
    await child.signal('SIGUSR1')
    const dump = await until('keepalived.data is written', 5_000, () => {
      const text = host.read(dumpFile)
      return text?.includes('------< Interfaces >') === true ? text : null
    })
    return { ended: null, values: parseDump(dump) }
  })
}

export async function runVipd(path: string, links: readonly string[]): Promise<Found> {
  return observed(path, links, async ({ run, spawn }, allLead) => {
    const { stdout } = await run(process.execPath, [vipd, 'check', '--json', '-f', path])
    const { instances } = JSON.parse(stdout) as { readonly instances: readonly CheckedInstance[] }
    const child = spawn(process.execPath, [vipd, 'run', '-f', path, '--run-dir', '/run/lab/vipd'])
    await settled(child, allLead)
    if (child.exit !== null) return { ended: lastWords(child), values: new Map() }
    const values = instances.map((instance) => [instance.name, valuesOf(instance)] as const)
    return { ended: null, values: new Map(values) }
  })
}

/** Returns when every instance leads, when none of the rest will, or when the daemon has ended. */
async function settled(child: Child, allLead: () => boolean): Promise<void> {
  const what = `${child.name} leads`
  await until(what, patienceMs, () => (allLead() || child.exit !== null ? true : null)).catch(
    () => undefined,
  )
  await Promise.race([delay(settleMs), child.exited])
}

/** What says why, of the last lines. */
function lastWords({ output }: Child): string {
  const lines = output.items.map(({ text }) => text)
  return (
    lines.find((text) => /can't|cannot|non-existent|not start|permanent/i.test(text)) ??
    lines.at(-1) ??
    ''
  )
}

async function observed(
  path: string,
  links: readonly string[],
  run: (sandbox: Sandbox, allLead: () => boolean) => Promise<Pick<Found, 'ended' | 'values'>>,
): Promise<Found> {
  return inSandbox(path, links, async (sandbox) => {
    const { lab } = sandbox
    const before = new Set(await addressesOf(sandbox))
    const filter = 'ip proto 112 or ip6 proto 112'
    const captures = await Promise.all(links.map((segment) => lab.capture({ segment, filter })))
    const instances = readFileSync(path, 'utf8').match(/^\s*vrrp_instance\b/gm)?.length ?? 0
    const leading = () => new Set(captures.flatMap((c) => c.adverts().map(({ vrid }) => vrid))).size
    const { ended, values } = await run(sandbox, () => leading() >= instances)
    const seen = captures.flatMap((capture) => capture.adverts())
    const adverts = new Map<string, string>()
    for (const { vrid, bytes } of seen) {
      const key = `VRID ${vrid}`
      if (!adverts.has(key))
        adverts.set(key, Buffer.from(withoutIdentification(bytes)).toString('hex'))
    }
    const held = (await addressesOf(sandbox)).filter((one) => !before.has(one))
    return { ended, values, adverts, addresses: held.sort() }
  })
}

/** What is the sender's own affair in an IPv4 header: identification, don't-fragment, and so the checksum. */
function withoutIdentification(frame: Uint8Array): Uint8Array {
  const copy = frame.slice()
  if (copy[12] === 0x08 && copy[13] === 0x00) {
    copy.fill(0, 18, 22)
    copy.fill(0, 24, 26)
  }
  return copy
}

async function addressesOf({ host }: Sandbox): Promise<readonly string[]> {
  return [...(await host.addresses())].flatMap(([link, all]) => all.map((one) => `${link} ${one}`))
}
