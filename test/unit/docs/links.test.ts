/** The book holds together: every link leads somewhere, every page is in the index. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../../../src/lab/program.ts'
import { anchors, links, pages } from './markdown.ts'

const everyPage = pages()

/** What is wrong with a link of the page at `path`; null: nothing. */
function broken(path: string, target: string): string | null {
  if (/^https?:/.test(target)) return null
  const [file = '', anchor] = target.split('#')
  const wanted = file === '' ? path : relative('.', join(dirname(path), file))
  const absolute = join(projectRoot, wanted)
  if (wanted.startsWith('..') || !existsSync(absolute)) return `${path}: ${target}: no such file`
  if (anchor === undefined) return null
  if (statSync(absolute).isDirectory()) return `${path}: ${target}: a directory has no headings`
  return anchors(readFileSync(absolute, 'utf8')).has(anchor)
    ? null
    : `${path}: ${target}: no such heading`
}

test('every link of the book leads to a file, and its anchor to a heading', () => {
  const all = everyPage.flatMap((page) => links(page).map((target) => [page.path, target] as const))
  assert.ok(all.length > 60)
  assert.deepEqual(
    all.map(([path, target]) => broken(path, target)).filter((it) => it !== null),
    [],
  )
})

test('a link that leads nowhere is seen', () => {
  assert.match(broken('README.md', 'docs/none.md') ?? '', /no such file/)
  assert.match(broken('docs/status.md', 'http.md#none') ?? '', /no such heading/)
  assert.match(broken('docs/status.md', '../../other') ?? '', /no such file/)
  assert.equal(broken('docs/status.md', '#the-socket'), null)
})

test('every page of the book is in the index or the README, and the index has a line for a page', () => {
  const text = (wanted: string): string => everyPage.find(({ path }) => path === wanted)?.text ?? ''
  const listed = [...text('docs/README.md').matchAll(/^- \[([\w-]+\.md)\]\(\1\): .+\.$/gm)].map(
    ([, name]) => `docs/${name}`,
  )
  assert.ok(listed.length > 30, String(listed.length))
  assert.deepEqual(listed.toSorted(), [...new Set(listed)].toSorted())
  const readme = links({ path: 'README.md', text: text('README.md') })
  const unreachable = everyPage
    .map(({ path }) => path)
    .filter((path) => path.startsWith('docs/') && ![...listed, ...readme].includes(path))
  assert.deepEqual(unreachable, [], 'a line in docs/README.md')
})

test('a finding that a page names is one of `vipd doctor`’s', () => {
  const text = (wanted: string): string => everyPage.find(({ path }) => path === wanted)?.text ?? ''
  const findings = new Set(
    [...text('docs/doctor.md').matchAll(/^\| `([\w-]+)` \|/gm)].map(([, it]) => it),
  )
  assert.ok(findings.has('firewall-drops'))
  const named = [
    ...text('docs/troubleshooting.md').matchAll(/\(((?:`[a-z\d]+(?:-[a-z\d]+)+`(?:, )?)+)\)/g),
  ]
    .flatMap(([, list]) => (list ?? '').split(', '))
    .map((it) => it.replaceAll('`', ''))
  assert.ok(named.length > 5)
  assert.deepEqual(
    named.filter((it) => !findings.has(it)),
    [],
  )
})
