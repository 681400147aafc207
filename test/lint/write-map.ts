/** Writes the table of rooms into CONTRIBUTING.md; with `--check` it only says whether it is there. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../src/lab/program.ts'
import { type Room, rooms } from './rooms.ts'

const path = join(projectRoot, 'CONTRIBUTING.md')
const begin = '<!-- rooms: from test/lint/rooms.ts -->\n'
const end = '<!-- end of rooms -->'

const row = ({ path, what, may, pure }: Room): string =>
  `| \`${path}/\` | ${what}${pure === true ? '; pure' : ''} | ${may.join(', ') || '–'} |`

const table = [
  '| room of `src/` | what | may import |',
  '| --- | --- | --- |',
  ...rooms.map(row),
  '',
].join('\n')

const before = readFileSync(path, 'utf8')
const from = before.indexOf(begin) + begin.length
const to = before.indexOf(end)
if (from < begin.length || to < from) throw new Error(`${path}: the marks of the table are missing`)
const after = before.slice(0, from) + table + before.slice(to)
if (process.argv.includes('--check')) {
  if (before !== after) {
    console.error('CONTRIBUTING.md: the table of rooms is not test/lint/rooms.ts; run npm run docs')
    process.exitCode = 1
  }
} else writeFileSync(path, after)
