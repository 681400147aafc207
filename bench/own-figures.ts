/** What a daemon and its warden hold and use, read in their host: whichever process is the daemon by now. */
import type { Host } from '../src/lab/host.ts'

export type Figures = {
  readonly residentMb: number
  readonly threads: number
  readonly descriptors: number
  /** On a processor so far, in ns, of all threads that live. */
  readonly ranNs: number
}

const script = `
for p in $(pgrep -r R,S,D -x 'vipd|vipd-warden'); do
  sed -n 's/^VmRSS:\\s*\\([0-9]*\\) kB/residentKb \\1/p; s/^Threads:\\s*/threads /p' /proc/$p/status
  echo descriptors $(ls /proc/$p/fd | wc -l)
  for t in /proc/$p/task/*; do read ran rest < $t/schedstat; echo ranNs $ran; done
done`

export async function figuresIn(host: Host): Promise<Figures> {
  const text = await host.must('bash', ['-c', script])
  const sum = (what: string) =>
    [...text.matchAll(new RegExp(`^${what} (\\d+)$`, 'gm'))].reduce(
      (all, [, n]) => all + Number(n),
      0,
    )
  return {
    residentMb: sum('residentKb') / 1_024,
    threads: sum('threads'),
    descriptors: sum('descriptors'),
    ranNs: sum('ranNs'),
  }
}
