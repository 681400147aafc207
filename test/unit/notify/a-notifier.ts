/** A notifier with programs and a log of the test’s, ended behind it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Command } from '../../../src/base/command.ts'
import type { Log } from '../../../src/base/log.ts'
import type { UserCommand } from '../../../src/config/user-command.ts'
import { until as lookUntil } from '../../../src/lab/wait.ts'
import {
  type CountingNotifier,
  type Notifier,
  type NotifierOptions,
  startNotifier,
} from '../../../src/notify/notify.ts'

export const directory = mkdtempSync(join(tmpdir(), 'vipd-test-'))

/** A case that fails leaves its notifier running: then its thread would keep this process for ever. */
export const started: Notifier[] = []

after(async () => {
  await Promise.all(started.map((notifier) => notifier.stop()))
  rmSync(directory, { recursive: true })
})

export const place = { file: 'test.conf', line: 1, column: 1 }

export const user = (command: Command, raw = 'the script'): UserCommand => ({
  raw,
  command,
  runAs: null,
  place,
})

export function recorder(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const add = (message: string) => void lines.push(message)
  return {
    lines,
    log: { debug: add, info: add, warn: add, error: add, flush: async () => undefined },
  }
}

export function start(more: Partial<NotifierOptions> = {}): {
  readonly notifier: CountingNotifier
  readonly lines: string[]
} {
  const { log, lines } = recorder()
  const settings = { mail: null, routerId: 'lb1', fifos: [], noEmailFaults: false }
  const notifier = startNotifier({ ...settings, log, ...more })
  started.push(notifier)
  return { notifier, lines }
}

export const until = (condition: () => boolean, what: string) => lookUntil(what, 30_000, condition)

export const linesOf = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []

/** Is a process alive that was started with this word? */
export const runs = (word: string): boolean =>
  readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
    } catch {
      return false
    }
  })
