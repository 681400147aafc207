/** Every command and the file that it is in. */
import type { Commands } from './command-file.ts'

/** In the order in which `vipd --help` lists them. */
export const commands: Commands = {
  run: () => import('./command-run.ts'),
  check: () => import('./command-check.ts'),
  probe: () => import('./command-probe.ts'),
  status: () => import('./command-status.ts'),
  watch: () => import('./command-watch.ts'),
  doctor: () => import('./command-doctor.ts'),
  reload: () => import('./command-reload.ts'),
  push: () => import('./command-push.ts'),
  failover: () => import('./command-failover.ts'),
  drain: () => import('./command-drain.ts'),
  resume: () => import('./command-resume.ts'),
  upgrade: () => import('./command-upgrade.ts'),
  tune: () => import('./command-tune.ts'),
  bench: () => import('./command-bench.ts'),
  cleanup: () => import('./command-cleanup.ts'),
  history: () => import('./command-history.ts'),
  events: () => import('./command-events.ts'),
  keepalived: () => import('./command-keepalived.ts'),
  completion: () => import('./command-completion.ts'),
  complete: () => import('./command-complete.ts'),
  version: () => import('./command-version.ts'),
}
