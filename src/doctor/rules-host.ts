/** What the host gives the daemon: rights, time, memory, other managers of its interfaces, its unit. */
import type { Found } from './codes.ts'
import type { Facts } from './facts.ts'

const capability = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 } as const
const mebibyte = 1 << 20
/** What a daemon with its threads takes, docs/scale.md, and as much again. */
const memoryWanted = 192 * mebibyte
/** A warden that is started with the daemon is no later than this. */
const wardenWithMs = 10_000

export const hostRules = (facts: Facts): readonly Found[] =>
  [
    rights,
    realtime,
    clock,
    memory,
    managers,
    unit,
    features,
    kernelLease,
    leaseAdverts,
    leaseSooner,
  ].flatMap((rule) => rule(facts))

const host = (code: Found['code'], what: string, mend: string): Found => ({
  code,
  about: null,
  what,
  mend,
})

function rights({ host: { process, uid, ownCapabilities, sysctlsReadOnly }, config }: Facts) {
  // Another user's rights say nothing of the daemon's.
  const held = process?.capabilities ?? (uid === 0 ? ownCapabilities : null)
  const lacking =
    held === null ? [] : Object.entries(capability).filter(([, bit]) => !held.includes(bit))
  const needsSysctls = config?.instances.some(({ vmac, family }) => vmac && family === 6) === true
  return [
    ...lacking.map(([name]) =>
      host(
        'missing-capability',
        process === null ? `root lacks ${name} here` : `process ${process.pid} lacks ${name}`,
        `podman run --cap-add ${name}, or AmbientCapabilities=${name} in the unit`,
      ),
    ),
    ...(sysctlsReadOnly === true && needsSysctls
      ? [
          host(
            'sysctls-read-only',
            '/proc/sys is mounted read-only',
            'ReadWritePaths=/proc/sys/net/ipv6/conf in the unit, or a writable /proc/sys in the container',
          ),
        ]
      : []),
  ]
}

function realtime({ status, config, host: { process, sysctls } }: Facts): readonly Found[] {
  const found: Found[] = []
  if (sysctls['kernel/sched_rt_runtime_us'] === '0')
    found.push(
      host(
        'realtime-throttled',
        'kernel.sched_rt_runtime_us is 0',
        'sysctl -w kernel.sched_rt_runtime_us=950000',
      ),
    )
  if (status !== null && !status.engine.realtime && (config?.realtimePriority ?? 1) > 0) {
    const limit = process === null ? '' : ` (RLIMIT_RTPRIO ${process.realtimeLimit})`
    found.push(
      host(
        'no-realtime',
        `the engine of vipd has no real-time priority${limit}`,
        'LimitRTPRIO=99 and CAP_SYS_NICE in the unit; docs/systemd.md',
      ),
    )
  }
  return found
}

const clock = ({ config, host: { clockSynchronised } }: Facts): readonly Found[] =>
  clockSynchronised === false && config?.instances.some((it) => it.hmacWindow !== null) === true
    ? [host('clock-unsynchronised', 'the clock is not synchronised', 'timedatectl set-ntp true')]
    : []

function memory({ status, config, host: { memoryLimit, swapKib, process } }: Facts) {
  const found: Found[] = []
  if (memoryLimit !== null && memoryLimit < memoryWanted)
    found.push(
      host(
        'memory-limit',
        `the control group of vipd may use ${Math.round(memoryLimit / mebibyte)} MiB`,
        'systemctl set-property vipd MemoryMax=512M, or --memory 512m of the container',
      ),
    )
  const lock = 'vrrp_no_swap in global_defs'
  if (process !== null && process.swappedKib > 0)
    found.push(host('swapped', `${process.swappedKib} KiB of vipd are swapped out`, lock))
  else if (status?.engine.locked === false && (swapKib ?? 0) > 0 && config?.noSwap !== true)
    found.push(host('swap-without-lock', 'the host swaps, and vipd is not locked in memory', lock))
  return found
}

function managers({ config, host: { networkd, networkManager } }: Facts): readonly Found[] {
  const instances = config?.instances ?? []
  const concerned = (link: string) =>
    instances.find((it) => it.addresses.some((vip) => (vip.interface ?? it.interface) === link))
      ?.name
  const found: Found[] = []
  for (const { interface: link, file } of networkd?.removes ?? []) {
    const about = concerned(link)
    if (about !== undefined)
      found.push({
        code: 'networkd-removes',
        about,
        what: `systemd-networkd manages ${link} by ${file}, without KeepConfiguration`,
        mend: `KeepConfiguration=static under [Network] in ${file}; networkctl reload`,
      })
  }
  if (networkd?.managesRoutes === true && instances.some(({ routes }) => routes))
    found.push(
      host(
        'networkd-routes',
        'systemd-networkd runs, and ManageForeignRoutes and ManageForeignRoutingPolicyRules are not both no',
        'both =no under [Network] in /etc/systemd/networkd.conf; systemctl restart systemd-networkd',
      ),
    )
  for (const link of networkManager ?? []) {
    const about = concerned(link)
    if (about !== undefined)
      found.push({
        code: 'networkmanager-manages',
        about,
        what: `NetworkManager manages ${link}`,
        mend: `nmcli device set ${link} managed no, where it has a static address`,
      })
  }
  return found
}

function unit({ host: { unit: it, wardenLaterMs } }: Facts): readonly Found[] {
  const found: Found[] = []
  if (it !== null) {
    const edit = (line: string) => `systemctl edit ${it.name}: ${line}`
    if (it.restart === 'no')
      found.push(host('unit-restart', `${it.name} has Restart=no`, edit('Restart=always')))
    if (!it.watchdog)
      found.push(host('unit-watchdog', `${it.name} has no watchdog`, edit('WatchdogSec=10')))
    if (!it.cleansUp)
      found.push(
        host(
          'unit-cleanup',
          `${it.name} does not run vipd cleanup after the daemon`,
          edit('ExecStopPost=-/usr/bin/vipd cleanup'),
        ),
      )
  }
  if (wardenLaterMs !== null && wardenLaterMs > wardenWithMs)
    found.push(
      host(
        'warden-restarted',
        `the warden is ${Math.round(wardenLaterMs / 1_000)} s younger than the daemon`,
        'journalctl -u vipd | grep -i warden: what ended it',
      ),
    )
  return found
}

/** Of a kernel: its egress hook for nftables came with 5.16. */
function hasEgress(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number)
  return major > 5 || (major === 5 && minor >= 16)
}

/** It could be on. */
function kernelLease({ config, host: it }: Facts): readonly Found[] {
  const off = config?.kernelLease === 'off' && config.instances.length > 0
  if (!off || it.hasNft !== true || it.kernelRelease === null || !hasEgress(it.kernelRelease))
    return []
  return [
    {
      code: 'kernel-lease-off',
      about: null,
      what: 'vipd_kernel_lease is off, and this kernel could hold one',
      mend: 'vipd_kernel_lease on, in global_defs: docs/kernel-lease.md',
    },
  ]
}

/** keepalived and vipd wait for three adverts unless they are told otherwise. */
const leaseAdverts = ({ config }: Facts): readonly Found[] =>
  config === null || config.kernelLease === 'off'
    ? []
    : config.instances
        .filter(({ downTimerAdverts }) => downTimerAdverts !== 3)
        .map(({ name, downTimerAdverts }) => ({
          code: 'lease-adverts',
          about: name,
          what: `with vipd_kernel_lease, down_timer_adverts is ${downTimerAdverts} here and must be so on every host`,
          mend: `down_timer_adverts ${downTimerAdverts} for ${name} on the other hosts, or 3 here`,
        }))

const leaseSooner = ({ status }: Facts): readonly Found[] =>
  (status?.instances ?? []).flatMap(({ name, kernelLease: lease }) =>
    (lease?.soonerTakeOvers ?? []).map((what) => ({
      code: 'lease-sooner',
      about: name,
      what,
      mend: 'a longer detection time of BFD, or the same advert_int on every host: docs/kernel-lease.md',
    })),
  )

function features({ config, host: it }: Facts): readonly Found[] {
  const instances = config?.instances ?? []
  const needs = [
    {
      has: it.hasNft,
      user: instances.find(({ accept }) => !accept),
      what: 'no_accept, and there is no nft',
      mend: 'apt-get install nftables',
    },
    ...(['macvlan', 'ipvlan'] as const).map((kind) => ({
      has: kind === 'macvlan' ? it.hasMacvlan : it.hasIpvlan,
      user: instances.find((one) => (kind === 'macvlan' ? one.vmac : one.ipvlan)),
      what: `use_${kind === 'macvlan' ? 'vmac' : 'ipvlan'}, and this kernel has no ${kind}`,
      mend: `modprobe ${kind}, or a kernel with CONFIG_${kind.toUpperCase()}`,
    })),
  ]
  return needs.flatMap(({ has, user, what, mend }): Found[] =>
    has === false && user !== undefined
      ? [{ code: 'kernel-feature', about: user.name, what: `${user.name} has ${what}`, mend }]
      : [],
  )
}
