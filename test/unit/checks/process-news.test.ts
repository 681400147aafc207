/**
 * The kernel's news of processes. Only the first network namespace has them, and the tests run in another: as root this
 * file runs itself there once more. It sends nothing on any network.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { bindings } from '../../../src/addon/bindings.ts'
import type { Command } from '../../../src/base/command.ts'
import { check, withPool } from './pool-watch.ts'

function canHear(): boolean {
  try {
    bindings()
      .openProcessNews(() => undefined)
      .close()
    return true
  } catch {
    return false
  }
}

/** Of the first ancestor that is in another network namespace than we are: the one that started the tests. */
function outerNamespace(): string | null {
  const namespace = (pid: number | 'self') => readlinkSync(`/proc/${pid}/ns/net`)
  try {
    for (let pid = process.ppid; pid > 1; pid = parentOf(pid))
      if (namespace(pid) !== namespace('self')) return `/proc/${pid}/ns/net`
  } catch {
    // Not ours to look at.
  }
  return null
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)

const again = 'VIPD_TEST_FIRST_NAMESPACE'

test('a check with a long interval follows its process at once where the kernel tells, else at its turns', async (t) => {
  if (canHear()) {
    t.diagnostic('heard')
    return await followed(60_000)
  }
  await followed(200)
  if (process.getuid?.() !== 0 || process.env[again] !== undefined) return
  const outside = outerNamespace()
  if (outside === null) return
  const args = [`--net=${outside}`, process.execPath, '--test', fileURLToPath(import.meta.url)]
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const child = spawnSync('nsenter', args, { env: { ...env, [again]: '1' }, encoding: 'utf8' })
  assert.equal(child.status, 0, child.stdout + child.stderr)
  t.diagnostic(
    `in the first namespace: ${/heard/.test(child.stdout) ? 'heard' : 'not heard either'}`,
  )
})

async function followed(intervalMs: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vipd-news-'))
  after(() => rmSync(directory, { recursive: true }))
  const name = `news${process.pid}`
  const program = join(directory, name)
  copyFileSync('/bin/sleep', program)
  const run = (): ChildProcess => {
    const child = spawn(program, ['100000'], { stdio: 'ignore' })
    after(() => child.kill('SIGKILL'))
    return child
  }
  const killall: Command = { kind: 'process', like: 'killall', name }
  const quorum: Command = {
    ...{ kind: 'processes', name: program, full: true, parameters: ['100000'], match: 'exact' },
    ...{ least: 1, most: Number.POSITIVE_INFINITY, gainDelayMs: 0, lossDelayMs: 0 },
  }
  const child = run()
  await withPool(async (pool, events) => {
    pool.set([check('p', quorum, { intervalMs }), check('k', killall, { intervalMs })])
    assert.equal((await events.verdict('p')).good, true)
    assert.equal((await events.verdict('k')).good, true)
    for (const [act, good] of [
      [() => child.kill('SIGKILL'), false],
      [run, true],
    ] as const) {
      const seen = events.seen.length
      act()
      assert.equal((await events.verdict('p', seen)).good, good)
      assert.equal((await events.verdict('k', seen)).good, good)
    }
  })
}
