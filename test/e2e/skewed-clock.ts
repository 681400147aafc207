/** A process whose wall clock is off: a library that is loaded before the C library, and adds seconds to CLOCK_REALTIME. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = `#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *out) {
  const long done = syscall(SYS_clock_gettime, id, out);
  if (done == 0 && id == CLOCK_REALTIME) out->tv_sec += SKEW;
  return (int)done;
}
`

// Beside this program, which every host of the lab sees: its /tmp is its own.
const directory = mkdtempSync(fileURLToPath(new URL('clock-', import.meta.url)))
after(() => rmSync(directory, { recursive: true, force: true }))
const file = join(directory, 'clock.c')
writeFileSync(file, source)

/** What is put before a command line so that its clock is so many seconds ahead; negative: behind. */
export function clockAhead(seconds: number): readonly string[] {
  const library = join(directory, `clock${seconds}.so`)
  execFileSync('cc', ['-shared', '-fPIC', `-DSKEW=${seconds}`, '-o', library, file])
  return ['env', `LD_PRELOAD=${library}`]
}
