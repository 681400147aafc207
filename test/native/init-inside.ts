/**
 * A daemon in small as PID 1, for init.test.ts: reaps orphans all the time while its programs end with statuses of their own, and
 * says which of them were wrong and which processes are zombies in the end.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { reapOrphans } from '../../src/engine/native.ts'
import { type Ended, startProgram } from '../../src/programs/start.ts'

const programs = Number(process.argv[2])
const atOnce = 10
/** An orphan that ends when its parent is gone. */
const text = (status: number) => `(sleep 0.05 &); exit ${status}`

let reaped = 0
const reaping = setInterval(() => {
  reaped += reapOrphans()
}, 1)

const wrong: string[] = []
let started = 0
let ended = 0
function next(): void {
  if (started >= programs) return
  const status = started % 120
  started += 1
  const program = { file: '/bin/sh', args: ['-c', text(status)], runAs: null, noNewPrivs: false }
  startProgram({ ...program, output: null }, (end: Ended) => {
    ended += 1
    if (!('status' in end) || end.status !== status)
      wrong.push(`${JSON.stringify(end)} for ${status}`)
    next()
    if (ended === programs) finish()
  })
}
for (let i = 0; i < atOnce; i++) next()

const children = (): readonly string[] =>
  readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || entry === '1') return []
    try {
      return [/\((.*)\) (\S)/.exec(readFileSync(`/proc/${entry}/stat`, 'latin1'))?.[0] ?? '']
    } catch {
      return []
    }
  })

/** All are orphans by now, and end on their own. */
function finish(): void {
  const left = children()
  if (left.length > 0 && reaped < programs) {
    setTimeout(finish, 10)
    return
  }
  clearInterval(reaping)
  process.stdout.write(JSON.stringify({ pid: process.pid, wrong, reaped, left }))
}
