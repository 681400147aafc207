/**
 * One file run by one of the two daemons, alone in a host whose file system is read-only: what scripts of a stranger's
 * configuration do stays in there. What comes out is what keepalived or vipd made of the file.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Host } from '../../src/lab/host.ts'
import { openLab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { until } from '../../src/lab/wait.ts'
import { parseDump } from './dump.ts'
import { type CheckedInstance, type Values, valuesOf } from './values.ts'

export type Found = {
  readonly values: ReadonlyMap<string, Values>
  /** `VRID/IPvN` → the first advert's bytes in hexadecimal. */
  readonly adverts: ReadonlyMap<string, string>
  /** `INTERFACE ADDRESS/LENGTH`, without those that the host had before. */
  readonly addresses: readonly string[]
}

/** Longer than three adverts at one second, a skew, and both programs' start. */
const settleMs = 6_000
const vipd = program('../cli/run.js')
const dumpFile = '/tmp/keepalived.data'

export async function runKeepalived(path: string, links: readonly string[]): Promise<Found> {
  return inHost(path, links, async (host) => {
    const child = host.spawn('keepalived', ['-n', '-l', '-D', '-P', '-f', path])
    await Promise.race([delay(settleMs), child.exited])
    const dump = await dumpOf(host, () => child.signal('SIGUSR1')).catch(() => '')
    return parseDump(dump)
  })
}

export async function runVipd(path: string, links: readonly string[]): Promise<Found> {
  return inHost(path, links, async (host) => {
    const { stdout } = await host.run(process.execPath, [vipd, 'check', '--json', '-f', path])
    const { instances } = JSON.parse(stdout) as { readonly instances: readonly CheckedInstance[] }
    const args = [vipd, 'run', '-f', path, '--run-dir', '/run/lab/vipd']
    const child = host.spawn(process.execPath, args)
    await Promise.race([delay(settleMs), child.exited])
    return new Map(instances.map((instance) => [instance.name, valuesOf(instance)]))
  })
}

async function inHost(
  path: string,
  links: readonly string[],
  run: (host: Host) => Promise<ReadonlyMap<string, Values>>,
): Promise<Found> {
  const lab = await openLab({ name: 'compare' })
  try {
    const addresses = links.map((name, i) => [name, [`10.200.${i}.1/24`]] as const)
    const host = await lab.host('one', { addresses: Object.fromEntries(addresses) })
    await withScripts(host, path)
    await host.sh('mount -o remount,bind,ro /')
    const before = new Set(await addressesOf(host))
    const captures = await Promise.all(
      links.map((segment) => lab.capture({ segment, filter: 'ip proto 112 or ip6 proto 112' })),
    )
    const values = await run(host)
    const seen = captures.flatMap((capture) => capture.adverts())
    const adverts = new Map<string, string>()
    for (const { vrid, bytes } of seen) {
      const key = `VRID ${vrid}`
      if (!adverts.has(key))
        adverts.set(key, Buffer.from(withoutIdentification(bytes)).toString('hex'))
    }
    const held = (await addressesOf(host)).filter((one) => !before.has(one))
    return { values, adverts, addresses: held.sort() }
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`)
  } finally {
    await lab.close()
  }
}

/** The scripts below /etc/keepalived that the file names are there and succeed; elsewhere nothing can be made. */
async function withScripts(host: Host, path: string): Promise<void> {
  const named = readFileSync(path, 'utf8').match(/\/etc\/keepalived\/[\w./-]+\.\w+/g) ?? []
  const lines = [...new Set(named)].flatMap((script) => [
    `mkdir -p $(dirname ${script})`,
    `printf '#!/bin/sh\\nexit 0\\n' > ${script}; chmod 755 ${script}`,
  ])
  await host.sh(['mount -t tmpfs tmpfs /etc/keepalived', ...lines].join('\n'))
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

async function addressesOf(host: Host): Promise<readonly string[]> {
  return [...(await host.addresses())].flatMap(([link, all]) => all.map((one) => `${link} ${one}`))
}

async function dumpOf(host: Host, ask: () => Promise<void>): Promise<string> {
  await ask()
  return until('keepalived.data is written', 5_000, () => {
    const text = host.read(dumpFile)
    return text?.includes('------< Interfaces >') === true ? text : null
  })
}
