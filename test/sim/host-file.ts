/**
 * What a host's configuration file says beside what a scenario fixes, and how an operator alters it while the daemon
 * runs.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Prng } from './prng.ts'
import type { Scenario } from './scenario.ts'

export type HostFile = {
  readonly livenessUs: number
  /** The instance that has the address which moves; null: none. */
  readonly roaming: string | null
  /** The first address of VI_1 has a label; IPv4 alone. */
  readonly label: boolean
  /** The source is the host's second address, and written down. */
  readonly secondSource: boolean
  /** An instance with a VRID of its own, in the sync group if there is one. */
  readonly third: boolean
  /** VI_1 tracks a second script, which always succeeds. */
  readonly secondScript: boolean
  readonly group: string
  /** BFD at half the rate. */
  readonly slowBfd: boolean
  /** It has static entries, where the scenario has them. */
  readonly statics: boolean
  /** It has its sessions with the others, where the scenario has BFD. */
  readonly sessions: boolean
  /** A lost session with the master's address ends the wait for its adverts. */
  readonly takeover: boolean
}

export const plainFile = (livenessUs: number): HostFile => ({
  livenessUs,
  roaming: null,
  label: false,
  secondSource: false,
  third: false,
  secondScript: false,
  group: 'G',
  slowBfd: false,
  statics: true,
  sessions: true,
  takeover: true,
})

/** Of the static route. */
export const staticNetwork = '198.19.0.0/24'

export const staticAddress = (family: 4 | 6, number: number): Ip =>
  (family === 4 ? `10.77.0.${number}` : `fd77::${number}`) as Ip

export const thirdVrid = 53
export const thirdInstance = 'VI_3'

export const roamingAddress = (family: 4 | 6): Ip =>
  (family === 4 ? '10.0.0.150' : 'fd00::50') as Ip

export const thirdAddress = (family: 4 | 6): Ip => (family === 4 ? '10.0.0.131' : 'fd00::31') as Ip

export const secondSourceOf = (family: 4 | 6, number: number): Ip =>
  (family === 4 ? `10.0.0.${number + 50}` : `fe80::${number + 50}`) as Ip

const second = 1_000_000

/** One or two settings that differ from before; each is one that a reload takes up without ending a lead. */
export function altered(
  file: HostFile,
  { grouped, advertUs, bfd }: Pick<Scenario, 'grouped' | 'advertUs' | 'bfd'>,
  prng: Prng,
): HostFile {
  const instances = grouped ? ['VI_1', 'VI_2', null] : ['VI_1', null]
  const one = (): Partial<HostFile> =>
    prng.pick<() => Partial<HostFile>>([
      () => ({ livenessUs: livenessOf(prng.pick([2, 20, 60, 0]) * advertUs) }),
      () => ({ roaming: prng.pick(instances.filter((name) => name !== file.roaming)) }),
      () => ({ roaming: prng.pick(instances.filter((name) => name !== file.roaming)) }),
      () => ({ label: !file.label }),
      () => ({ secondSource: !file.secondSource }),
      () => ({ third: !file.third }),
      () => ({ third: !file.third }),
      () => ({ secondScript: !file.secondScript }),
      () => ({ group: file.group === 'G' ? 'H' : 'G' }),
      ...(bfd === undefined
        ? []
        : [() => ({ slowBfd: !file.slowBfd }), () => ({ takeover: !file.takeover })]),
    ])()
  return { ...file, ...one(), ...(prng.chance(0.5) ? one() : {}) }
}

/** 0, no lease, stays 0. */
export const livenessOf = (wished: number): number =>
  wished === 0 ? 0 : Math.min(Math.max(wished, second / 2), 3_000 * second)
