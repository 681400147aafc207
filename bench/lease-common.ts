/** What the benches of the kernel lease share: their options, and a master whose lease they switch on and off. */
import type { Vipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'

export type LeaseBench = {
  readonly n: number | null
  readonly cases: readonly string[] | null
  readonly faults: readonly string[]
  readonly instances: readonly number[]
  /** Seconds. */
  readonly advertInt: number
  /** What is begun later is left out, and said. */
  isOver(): boolean
  print(cells: readonly (string | number)[]): void
}

export type Way = 'on' | 'off'

export const soonMs = 60_000

export const leasedText = (vip: string, way: Way): string => `
global_defs {
  script_user root
  vipd_kernel_lease ${way}
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority 150
  advert_int 0.1
  virtual_ipaddress {
    ${vip}/24
  }
}
`

/** By a reload: it stays master. Resolves when the lease is in force, or its table has gone. */
export async function turn(vipd: Vipd, vip: string, way: Way): Promise<void> {
  vipd.configure(leasedText(vip, way))
  const { status, text } = await vipd.tryReload()
  if (status !== 0) throw new Error(text)
  await until(`the lease is ${way}`, soonMs, async () => {
    const table = /vipd_lease_/.test(await vipd.host.sh('nft list tables'))
    const state = (await vipd.status()).instances[0]?.kernelLease?.state
    return way === 'on' ? state === 'answers' : !table
  })
}

/** Each way first by turns, so that neither has the better place. */
export const waysOf = (round: number): readonly Way[] =>
  round % 2 === 0 ? ['on', 'off'] : ['off', 'on']

/** By nearest rank. */
export const rank = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN
export const median = (values: readonly number[]): number => rank(values, 0.5)
