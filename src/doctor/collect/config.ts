/** What the doctor needs of a configuration. No key and no password is in it. */
import { checkReport } from '../../config/explain/check.ts'
import { formatDiagnostic } from '../../config/language/diagnostics.ts'
import type { LanguageOptions } from '../../config/language/tree-types.ts'
import type { Config, Instance } from '../../config/types.ts'
import { realMachine } from '../../loading/machine.ts'
import type { ConfigFact, InstanceFact } from '../facts.ts'

export function collectConfig(path: string, language: LanguageOptions): ConfigFact {
  const { config, diagnostics, exit } = checkReport(path, realMachine(), language)
  return {
    path,
    runs: config !== null,
    exit,
    mistakes: diagnostics
      .filter(({ verdict }) => verdict !== 'none')
      .map((it) => formatDiagnostic(it)),
    instances: config?.instances.map(instanceFact) ?? [],
    bfd: config?.bfd.map(({ neighbor, multihop }) => ({ neighbor, multihop })) ?? [],
    ...globals(config),
  }
}

const globals = (config: Config | null) => ({
  realtimePriority: config?.globals.realtimePriority ?? 0,
  noSwap: config?.globals.noSwap ?? false,
  netNamespace: config?.globals.netNamespace ?? null,
  kernelLease: config?.globals.kernelLease ?? 'off',
})

function instanceFact(it: Instance): InstanceFact {
  const { transport, hmac } = it
  return {
    name: it.name,
    interface: it.interface,
    vrid: it.vrid,
    family: it.family,
    version: it.version,
    advertMs: it.advertIntervalUs / 1_000,
    downTimerAdverts: it.downTimerAdverts,
    addresses: [...it.addresses, ...it.excluded].map((vip) => ({
      address: vip.address,
      prefixLength: vip.prefixLength,
      interface: vip.interface,
      nodad: vip.nodad,
    })),
    advertised: it.addresses.length,
    peers:
      transport.kind === 'unicast' ? transport.peers.map((peer): string => peer.address) : null,
    group: transport.kind === 'multicast' ? transport.group : null,
    ah: it.ahKey !== null,
    hmacWindow: hmac === null || hmac.monotonic ? null : hmac.windowSeconds,
    vmac: it.virtualLinks.some(({ kind }) => kind === 'macvlan'),
    ipvlan: it.virtualLinks.some(({ kind }) => kind === 'ipvlan'),
    accept: it.accept,
    promoteSecondaries: it.promoteSecondaries,
    claimCheck: it.claimCheck,
    routes: it.routes.length + it.rules.length > 0,
  }
}
