/** How long after the start no instance takes part: vrrp_startup_delay, and what is left of vrrp_delay_after_boot. */
import { type Us, us } from '../base/time.ts'
import type { Globals } from '../config/types.ts'

type Delay = { readonly us: Us; readonly keyword: 'vrrp_startup_delay' | 'vrrp_delay_after_boot' }

/** The one that ends later; null: neither does. `uptimeS`: seconds since the boot of the host. */
export function startDelay(
  { startupDelayUs, delayAfterBootUs }: Pick<Globals, 'startupDelayUs' | 'delayAfterBootUs'>,
  uptimeS: number,
): Delay | null {
  const left = us(Math.round(delayAfterBootUs - uptimeS * 1_000_000))
  if (Math.max(startupDelayUs, left) <= 0) return null
  return left > startupDelayUs
    ? { us: left, keyword: 'vrrp_delay_after_boot' }
    : { us: startupDelayUs, keyword: 'vrrp_startup_delay' }
}
