/**
 * The in-process forms against the commands that they stand for: both are asked about the same live
 * processes, and must agree. Names carry this process's id, so nothing else on the machine matches.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { RunAs } from '../../../src/base/command.ts'
import { ProcessTable, parseStat } from '../../../src/checks/local/processes.ts'
import { until as lookUntil } from '../../../src/lab/wait.ts'

const directory = mkdtempSync(join(tmpdir(), 'vipd-test-'))
chmodSync(directory, 0o755)
const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

/** At most 7 digits; short enough to leave room below the kernel's 15 bytes. */
const id = String(process.pid)

/** A copy of sleep(1) under another name. */
function program(name: string): string {
  const path = join(directory, name)
  copyFileSync('/bin/sleep', path)
  chmodSync(path, 0o755)
  return path
}

function background(
  file: string,
  args: readonly string[],
  options: { argv0?: string; uid?: number } = {},
) {
  const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'ignore'], ...options })
  children.push(child)
  return child
}

/** Looks at the world until it is as wanted. */
const until = (condition: () => boolean, what: string) => lookUntil(what, 20_000, condition)

const commsOf = (wanted: (stat: { comm: string; state: string }) => boolean): boolean =>
  readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && wanted(parseStat(statOf(pid))))

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return ''
  }
}

const hasComm = (comm: string) => commsOf((stat) => stat.comm === comm)

const tools = { killall: ['-0'], pidof: [], pgrep: ['-x'] } as const
type Tool = keyof typeof tools

function byCommand(like: Tool, name: string, runAs: RunAs | null): boolean {
  const identity = runAs === null ? {} : { uid: runAs.uid, gid: runAs.gid }
  const ran = spawnSync(like, [...tools[like], name], { stdio: 'ignore', ...identity })
  assert.equal(ran.error, undefined, `${like} is needed for this test`)
  return ran.status === 0
}

function agree(name: string, runAs: RunAs | null = null): Record<Tool, boolean> {
  const answers = { killall: false, pidof: false, pgrep: false }
  for (const like of ['killall', 'pidof', 'pgrep'] as const) {
    // pgrep's operand is a pattern; only plain names are mapped to the probe.
    if (like === 'pgrep' && /[()[\]{}*+?^$|\\]/.test(name)) continue
    const query = { kind: 'process', like, name } as const
    const ours = new ProcessTable().find(query, runAs, null, performance.now()) !== null
    assert.equal(ours, byCommand(like, name, runAs), `${like} ${name}`)
    answers[like] = ours
  }
  return answers
}

const all = { killall: true, pidof: true, pgrep: true }
const none = { killall: false, pidof: false, pgrep: false }

test('a running program, its prefix, and a name that no process has', async () => {
  const name = `run${id}`
  const path = program(name)
  background(path, ['1000'])
  background(path, ['1000'])
  await until(() => hasComm(name), name)
  assert.deepEqual(agree(name), all)
  assert.deepEqual(agree(name.slice(0, -1)), none)
  assert.deepEqual(agree(`${name}x`), none)
  assert.deepEqual(agree(`absent${id}`), none)
})

test('names of 15 bytes and longer, which the kernel cuts', async () => {
  const stem = `long${id}`.padEnd(15, 'x')
  const names = [stem, `${stem}-one`, `${stem}-two`]
  background(program(`${stem}-one`), ['1000'])
  await until(() => hasComm(stem), stem)
  const answers = names.map((name) => agree(name))
  assert.deepEqual(answers, [
    { killall: false, pidof: false, pgrep: true },
    { killall: true, pidof: true, pgrep: false },
    none,
  ])
  background(program(stem), ['1000'])
  await until(() => agree(stem).pidof, `${stem} runs`)
  assert.deepEqual(agree(stem), all)
  agree(stem.slice(0, 14))
  agree(`${stem}-on`)
})

test('a script is found by its own name or not, as the tool has it', async () => {
  const name = `scr${id}`
  const path = join(directory, name)
  writeFileSync(path, '#!/bin/sh\nread line\n', { mode: 0o755 })
  background(path, [])
  await until(() => hasComm(name), name)
  assert.deepEqual(agree(name), { killall: true, pidof: false, pgrep: true })
  const long = `${`script${id}`.padEnd(15, 'y')}-long.sh`
  const longPath = join(directory, long)
  writeFileSync(longPath, '#!/bin/sh\nread line\n', { mode: 0o755 })
  background(longPath, [])
  await until(() => hasComm(long.slice(0, 15)), long)
  assert.deepEqual(agree(long), { killall: true, pidof: false, pgrep: false })
  agree(long.slice(0, 15))
  agree(`${long}x`)
})

test('a process that renamed itself, or whose argv[0] says something else', async () => {
  const comm = `n(${id}) b`
  background('/bin/sh', ['-c', `printf %s '${comm}' > /proc/$$/comm; read line`])
  await until(() => hasComm(comm), comm)
  assert.deepEqual(agree(comm), { killall: true, pidof: false, pgrep: false })

  const file = program(`file${id}`)
  for (const argv0 of [
    `title${id}`,
    `-log${id}`,
    `/opt/x/base${id}`,
    `srv${id}: master process`,
    '',
  ]) {
    background(file, ['1000'], { argv0 })
  }
  await until(() => agree(`base${id}`).pidof, 'argv0 is in place')
  const names = ['file', 'title', 'log', 'base', 'srv'].map((stem) => `${stem}${id}`)
  for (const name of [...names, `srv${id}:`, `srv${id}: master process`]) agree(name)
})

test('a login shell without operands goes by its own name', async () => {
  const name = `lsh${id}`
  const path = join(directory, name)
  copyFileSync('/bin/sh', path)
  chmodSync(path, 0o755)
  background(path, [], { argv0: `-${name}` })
  await until(() => hasComm(name), name)
  assert.deepEqual(agree(name), all)
})

test('a zombie is running for some tools', async () => {
  const name = `zom${id}`
  const path = program(name)
  background('/bin/sh', ['-c', `'${path}' 0 & exec sleep 1000`])
  await until(() => commsOf(({ comm, state }) => comm === name && state === 'Z'), 'zombie')
  const answers = agree(name)
  assert.equal(answers.pidof, false)
  assert.equal(answers.killall, true)
})

test("another user's process: killall needs to be allowed to signal it", async () => {
  const nobody = { uid: 65534, gid: 65534, groups: null }
  const mayChange = spawnSync('/bin/true', [], { uid: nobody.uid, gid: nobody.gid }).status === 0
  const mine = `mine${id}`
  background(program(mine), ['1000'])
  await until(() => hasComm(mine), mine)
  assert.equal(agree(mine).killall, true)
  // In a namespace that maps a single user there is no other one to run as.
  if (!mayChange) return
  assert.deepEqual(agree(mine, nobody), { killall: false, pidof: true, pgrep: true })
  const theirs = `their${id}`
  background(program(theirs), ['1000'], { uid: nobody.uid })
  await until(() => hasComm(theirs), theirs)
  assert.deepEqual(agree(theirs, nobody), all)
  assert.deepEqual(agree(theirs), all)
})
