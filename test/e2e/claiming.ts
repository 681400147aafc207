/** What the tests of claims share: three hosts on a segment, one that speaks in the name of an address, what is reported. */
import assert from 'node:assert/strict'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import type { Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { InstancePast } from '../../src/report/past.ts'
import type { PastClaim } from '../../src/report/past-claim.ts'

export const soonMs = 30_000
export const vip = '172.16.80.100'
export const vip6 = 'fd00:80::100'
export const six = `virtual_ipaddress_excluded {\n    ${vip6}/64\n  }`

export const three = async (lab: Lab) => ({
  one: await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } }),
  two: await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } }),
  stranger: await lab.host('stranger', { addresses: { eth0: ['172.16.80.9/24'] } }),
})

/** The host sends a datagram from the address to one that it has to ask for by ARP. */
export async function speakFrom(host: Host, address: string, to: string): Promise<void> {
  await host.must('ip', ['route', 'replace', `${to}/32`, 'dev', 'eth0', 'src', address])
  await host.run('bash', ['-c', `echo > /dev/udp/${to}/9`])
}

export type Claims = {
  readonly frames: number
  readonly reported: number
  readonly announced: number
  readonly claimants: readonly Readonly<Record<string, unknown>>[]
}

export async function claimsOf(daemon: Vipd): Promise<Claims> {
  const answer = await daemon.ask('status', '--json')
  const { instances } = JSON.parse(answer.stdout) as { instances: { claims: Claims }[] }
  const [first] = instances
  assert.ok(first !== undefined)
  return first.claims
}

/** Those of the first instance that the history has. */
export async function pastClaims(daemon: Vipd): Promise<readonly PastClaim[]> {
  const { stdout } = await daemon.ask('history', '--json')
  return (JSON.parse(stdout) as InstancePast[])[0]?.claims ?? []
}

/** The host speaks in the name of the address, to one neighbour after the other, until that is reported. */
export async function claimed(master: Vipd, host: Host, address = vip): Promise<void> {
  let to = 100
  await until('a claim of the address', soonMs, async () => {
    to = 100 + ((to + 1) % 100)
    await speakFrom(host, address, `172.16.80.${to}`)
    return (await claimsOf(master)).reported > 0
  })
}

/** An answer may take so long on a busy host; then it comes in time. */
export const check = (policy: string): string =>
  `vipd_claim_check always\n  vipd_claim_check_time 0.4\n  vipd_claim_policy ${policy}`

export const answers = (mac: string): RegExp =>
  new RegExp(`${vip} is claimed by another machine: ${mac} on eth0 answers`)
