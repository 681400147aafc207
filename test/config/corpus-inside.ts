/**
 * Runs inside a network namespace of its own: gives it the interfaces that the files name, then asks vipd
 * and keepalived about each file. Prints one JSON line per file. Started by corpus.test.ts.
 */
import { spawnSync } from 'node:child_process'
import { checkReport } from '../../src/config/explain/check.ts'
import { realMachine } from '../../src/loading/machine.ts'
import { interfacesOf } from './ask-both.ts'

export type Asked = {
  readonly path: string
  readonly keepalived: {
    readonly exit: number
    readonly lines: readonly number[]
    readonly log: string
  }
  readonly vipd: {
    readonly exit: number
    readonly runs: boolean
    readonly found: readonly {
      readonly line: number
      readonly code: string
      readonly counts: boolean
    }[]
  }
}

const files = process.argv.slice(2)
const there = new Set(spawnSync('ip', ['-br', 'link'], { encoding: 'utf8' }).stdout.split(/[@\s]/))
const missing = [...new Set(files.flatMap(interfacesOf))].filter((name) => !there.has(name))
for (const [i, name] of missing.entries()) addInterface(name, i)
for (const path of files) process.stdout.write(`${JSON.stringify(ask(path))}\n`)

function addInterface(name: string, i: number): void {
  const args = ['link', 'add', name, 'type', 'veth', 'peer', 'name', `peer${i}`]
  run('ip', args)
  run('ip', ['link', 'set', name, 'up'])
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

function ask(path: string): Asked {
  const { status, stdout, stderr } = spawnSync('keepalived', ['-t', '-l', '-f', path], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  const log = `${stdout}${stderr}`
  const lines = [...log.matchAll(/^\((?:\S+: )?Line (\d+)\)/gm)].map((found) => Number(found[1]))
  const report = checkReport(path, realMachine(), { configId: null, includeAll: false })
  const found = report.diagnostics.map(({ place, code, verdict }) => ({
    line: place.line,
    code,
    counts: verdict !== 'none' && verdict !== 'lost',
  }))
  return {
    path,
    keepalived: { exit: status ?? -1, lines: [...new Set(lines)].sort((a, b) => a - b), log },
    vipd: { exit: report.exit, runs: report.config !== null, found },
  }
}
