/** What the shells complete: the words themselves, and that bash, zsh and fish show them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commands } from '../../../src/cli/commands.ts'
import { type AskNames, complete } from '../../../src/cli/completion.ts'
import { scripts } from '../../../src/cli/completion-scripts.ts'

const named = (...names: string[]) => names.map((name) => ({ name }))

const asked: (string | null)[] = []
const daemon: AskNames = async (runDir) => {
  asked.push(runDir)
  const names = {
    instances: named('VI_web', 'VI_db'),
    groups: named('G1'),
    checks: named('chk_web'),
    bfd: [],
  }
  return names as unknown as Awaited<ReturnType<AskNames>>
}

async function words(...typed: string[]): Promise<readonly string[]> {
  const { candidates, also } = await complete(commands, typed, daemon)
  return also === 'nothing' ? candidates.map(({ word }) => word) : [also]
}

test('every command that the help lists, and no other, stands at the first place', async () => {
  const first = await words('')
  assert.deepEqual(
    first,
    Object.keys(commands).filter((name) => name !== 'complete'),
  )
  assert.deepEqual(await words('re'), ['reload', 'resume'])
})

test('options that are not yet there, their choices and their files', async () => {
  assert.deepEqual(await words('status', '-'), ['--json', '--quiet', '--run-dir', '--help'])
  assert.deepEqual(await words('status', '--json', '--j'), [])
  assert.deepEqual(await words('check', '--format', 'g'), ['gcc', 'github'])
  assert.deepEqual(await words('check', '--format=gi'), ['--format=github'])
  assert.deepEqual(await words('check', ''), ['files'])
  assert.deepEqual(await words('check', '-f', ''), ['files'])
  assert.deepEqual(await words('run', '--run-dir', ''), ['directories'])
  assert.deepEqual(await words('bench', ''), ['failover'])
  assert.deepEqual(await words('bench', 'failover', '--c'), ['--causes'])
})

test('names are those of the daemon whose run directory is named, of the kind that the command takes', async () => {
  asked.length = 0
  assert.deepEqual(await words('history', '--run-dir', '/run/other', ''), ['VI_web', 'VI_db'])
  assert.deepEqual(asked, ['/run/other'])
  assert.deepEqual(await words('failover', ''), ['VI_web', 'VI_db', 'G1'])
  assert.deepEqual(await words('push', ''), ['chk_web'])
  assert.deepEqual(await words('status', 'VI_web', ''), [], 'it takes one')
  assert.deepEqual((await complete(commands, ['status', ''], async () => null)).candidates, [])
})

test('nothing where nothing is known', async () => {
  assert.deepEqual(await words('nothing', ''), [])
  assert.deepEqual(await words('constructor', ''), [])
  assert.deepEqual(await words('version', ''), [])
})

const dir = mkdtempSync(join(tmpdir(), 'vipd-completion-'))
after(() => rmSync(dir, { recursive: true }))
const bin = fileURLToPath(new URL('../../../src/cli/run.js', import.meta.url))
writeFileSync(join(dir, 'vipd'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
chmodSync(join(dir, 'vipd'), 0o755)
for (const [shell, script] of Object.entries(scripts)) writeFileSync(join(dir, shell), script)

const env = { ...process.env, PATH: `${dir}:${process.env['PATH']}`, HOME: dir, TERM: 'dumb' }
const lines = (file: string, args: readonly string[]): readonly string[] =>
  execFileSync(file, args, { encoding: 'utf8', env, cwd: dir })
    .split('\n')
    .filter((line) => line !== '')

test('bash', () => {
  const ask = (...typed: string[]) => {
    const list = typed.map((word) => `'${word}'`).join(' ')
    const line = `source ./bash; COMP_WORDS=(vipd ${list}); COMP_CWORD=${typed.length}; _vipd; printf '%s\\n' "\${COMPREPLY[@]}"`
    return lines('bash', ['--norc', '-c', line])
  }
  assert.deepEqual(ask('re'), ['reload', 'resume'])
  assert.deepEqual(ask('check', '--format', ''), ['text', 'json', 'gcc', 'github'])
})

test('fish', () => {
  const ask = (line: string) => lines('fish', ['-c', `source ./fish; complete -C '${line}'`])
  assert.deepEqual(
    ask('vipd re').map((line) => line.split('\t')[0]),
    ['reload', 'resume'],
  )
  assert.deepEqual(ask('vipd check --format g'), ['gcc', 'github'])
})

test('zsh', () => {
  // What _describe is given: its own output needs a terminal.
  const ask = (...typed: string[]) => {
    const list = ['vipd', ...typed].map((word) => `'${word}'`).join(' ')
    const line = `compdef() {}; _describe() { print -l -- "\${(P@)2}" }; source ./zsh; words=(${list}); CURRENT=${typed.length + 1}; _vipd`
    return lines('zsh', ['-f', '-c', line])
  }
  assert.deepEqual(
    ask('re').map((line) => line.split(':')[0]),
    ['reload', 'resume'],
  )
  assert.deepEqual(ask('check', '--format', 'g'), ['gcc', 'github'])
})
