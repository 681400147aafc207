/**
 * vipd beside keepalived on every configuration of a directory: exit status and named lines of both checks, effective
 * values (keepalived's dump beside `vipd check --json`), the first advert of each virtual router, the addresses held.
 *
 * npm run compare -- DIR [--json FILE] [--checks-only]
 * npm run compare -- --keywords    the checks of some 4,300 files made from the keyword table (variations.ts)
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { assert } from '../../src/base/assert.ts'
import { ensureNamespaces } from '../../src/lab/namespaces.ts'
import { askBoth, interfacesOf } from '../config/ask-both.ts'
import type { Asked } from '../config/corpus-inside.ts'
import { uncovered } from './covered.ts'
import { askBothInside, type Found, runKeepalived, runVipd } from './trial.ts'
import { explained, variations } from './variations.ts'

type Difference = { readonly what: string; readonly keepalived: string; readonly vipd: string }
type Compared = { readonly path: string; readonly differences: readonly Difference[] }

/** Labs side by side; the daemons mostly wait. */
const atOnce = 8

function configurations(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = all.filter((one) => one.isFile() && /\.conf($|\.)/.test(one.name))
  return files.map((one) => join(one.parentPath, one.name)).sort()
}

function verdicts({ path, keepalived, vipd }: Asked): readonly Difference[] {
  const named = new Set(vipd.found.map((one) => one.line))
  const skips = vipd.found.filter((one) => /unknown-keyword|unexpected-block/.test(one.code))
  const skipped = new Set(skips.map((one) => one.line))
  const theirs = uncovered(readFileSync(path, 'utf8'), keepalived.lines, named, skipped)
  const ours = [...named].filter((line) => line > 0).sort((a, b) => a - b)
  return [
    { what: 'exit status', keepalived: String(keepalived.exit), vipd: String(vipd.exit) },
    {
      what: 'lines that only keepalived names',
      keepalived: theirs.map((line) => `${line}: ${saidOf(keepalived.log, line)}`).join('; '),
      vipd: theirs.length > 0 ? ours.join(' ') : '',
    },
  ].filter((one) => one.keepalived !== one.vipd)
}

const saidOf = (log: string, line: number): string =>
  new RegExp(`Line ${line}\\) (.*)`).exec(log)?.[1] ?? ''

function differ(what: string, a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>) {
  const keys = [...new Set([...a.keys(), ...b.keys()])].sort()
  return keys.flatMap((key): Difference[] => {
    const [keepalived = '-', vipd = '-'] = [a.get(key), b.get(key)]
    return keepalived === vipd ? [] : [{ what: `${what} ${key}`, keepalived, vipd }]
  })
}

function effects(theirs: Found, ours: Found): readonly Difference[] {
  if (/IPVS/.test(theirs.ended ?? ''))
    return [{ what: 'not comparable: no IPVS here', keepalived: theirs.ended ?? '', vipd: '' }]
  if (theirs.ended !== null || ours.ended !== null) {
    const [keepalived, vipd] = [theirs.ended ?? 'runs', ours.ended ?? 'runs']
    return theirs.ended !== null && ours.ended !== null
      ? []
      : [{ what: 'daemon', keepalived, vipd }]
  }
  const names = [...new Set([...theirs.values.keys(), ...ours.values.keys()])].sort()
  const values = names.flatMap((name) => {
    const [a, b] = [theirs.values.get(name), ours.values.get(name)]
    if (a === undefined || b === undefined)
      return [{ what: `instance ${name}`, keepalived: a ? 'runs' : '-', vipd: b ? 'runs' : '-' }]
    return differ(name, new Map(Object.entries(a)), new Map(Object.entries(b)))
  })
  const [held, holds] = [theirs.addresses.join(', '), ours.addresses.join(', ')]
  return [
    ...values,
    ...differ('first advert', theirs.adverts, ours.adverts),
    ...(held === holds ? [] : [{ what: 'addresses', keepalived: held, vipd: holds }]),
  ]
}

async function compare(path: string): Promise<Compared> {
  const links = [...new Set([...interfacesOf(path), 'eth0'])]
  const asked = await askBothInside(path, links)
  const { keepalived, vipd } = asked
  if (keepalived.exit === -1) {
    const what = 'not comparable: a signal ended the binary'
    return { path, differences: [{ what, keepalived: '', vipd: String(vipd.exit) }] }
  }
  const differences = [...verdicts(asked)]
  // What one of them refuses cannot be compared further.
  const runs = (exit: number) => exit === 0 || exit === 5 || exit === 6
  const routers = /^\s*vrrp_instance\b/m.test(readFileSync(path, 'utf8'))
  if (!values['checks-only'] && routers && runs(keepalived.exit) && runs(vipd.exit)) {
    const found = await Promise.all([runKeepalived(path, links), runVipd(path, links)])
    differences.push(...effects(...found))
  }
  return { path, differences }
}

async function allOf(paths: readonly string[]): Promise<readonly Compared[]> {
  const waiting = [...paths]
  const done: Compared[] = []
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const compared = await compare(next).catch(
        (error: unknown): Compared => ({
          path: next ?? '',
          differences: [{ what: 'not compared', keepalived: String(error), vipd: '' }],
        }),
      )
      print(compared)
      done.push(compared)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return done
}

function print({ path, differences }: Compared): void {
  process.stdout.write(`${path}: ${differences.length === 0 ? 'the same' : ''}\n`)
  for (const { what, keepalived, vipd } of differences)
    process.stdout.write(`  ${what}\n    keepalived  ${keepalived}\n    vipd        ${vipd}\n`)
}

/** Files of one line that is unusual: only the exit statuses are asked for. Returns how many differ unexplained. */
function compareKeywords(): number {
  const folder = mkdtempSync(join(tmpdir(), 'vipd-keywords-'))
  try {
    const all = variations()
    const paths = all.map(({ text }, i) => {
      const path = join(folder, `${i}.conf`)
      writeFileSync(path, text)
      return path
    })
    const names = join(folder, 'names')
    writeFileSync(names, 'interface eth0\ninterface eth1\n')
    const asked = askBoth([names, ...paths]).slice(1)
    const differing = all.flatMap(({ block, line }, i) => {
      const one = asked[i]
      assert(one !== undefined, 'an answer for each file')
      const { keepalived, vipd } = one
      if (keepalived.exit === -1) return [] // A signal ended the binary.
      if (keepalived.exit === vipd.exit || explained.some((meant) => meant.test(line))) return []
      const why = keepalived.log.trim().split('\n')[0] ?? ''
      return [`${block}: ${line.replace(/\s+/g, ' ')}: ${keepalived.exit} and ${vipd.exit}: ${why}`]
    })
    for (const line of differing) process.stdout.write(`${line}\n`)
    process.stdout.write(`${all.length} files, ${differing.length} differ without a reason\n`)
    return differing.length
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The values of all instances are one kind. */
const kindOf = (what: string): string =>
  /^(exit|lines|daemon|first advert|addresses|not)/.exec(what)?.[0] ?? 'values'

async function compareFolder(folder: string): Promise<void> {
  const files = configurations(resolve(folder)).filter((path) => readFileSync(path).length > 0)
  if (files.length === 0) throw new Error(`${folder} holds no *.conf file`)
  const compared = await allOf(files)
  const kinds = new Map<string, number>()
  for (const { differences } of compared)
    for (const kind of new Set(differences.map(({ what }) => kindOf(what))))
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const same = compared.filter((one) => one.differences.length === 0).length
  process.stdout.write(`${compared.length} files, ${same} the same\n`)
  for (const [kind, count] of [...kinds].sort((a, b) => b[1] - a[1]))
    process.stdout.write(`  ${kind}: ${count}\n`)
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(compared, null, 2))
}

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    'checks-only': { type: 'boolean', default: false },
    keywords: { type: 'boolean', default: false },
  },
})
const [folder] = positionals
if (values.keywords) process.exitCode = compareKeywords() === 0 ? 0 : 1
else if (folder === undefined) throw new Error('npm run compare -- DIR, or --keywords')
else await compareFolder(folder)
