/** Which settings of which interfaces (net.ipv4.conf.IFACE.*) a configuration needs; pure. */
import type { Instance } from '../../config/types.ts'
import type { WantedSetting } from '../../kernel/link-settings.ts'

export const wantedSettings = (instances: readonly Instance[]): readonly WantedSetting[] =>
  instances.flatMap((it) => {
    if (it.interface === null || !it.promoteSecondaries) return []
    return [{ interface: it.interface, name: 'promote_secondaries', value: 1 }]
  })
