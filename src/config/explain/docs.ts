/** docs/configuration.md as text: the keyword table, block by block, with what the language itself does before it. */

import type { BlockName, Keyword, KeywordStatus } from '../grammar/entries.ts'
import { keywords } from '../keywords/table.ts'
import { argumentsText, blocks, meaning, preamble, statuses } from './texts.ts'

const head = `<!-- Written by \`npm run docs\` from the keyword table in src/config. Do not edit. -->

# Configuration`

export function keywordReference(): string {
  const parts = [
    head,
    preamble,
    statusTable(),
    ...blocks.map(([block, about]) => section(block, about)),
  ]
  return `${parts.join('\n\n')}\n`
}

function statusTable(): string {
  const counts = new Map<KeywordStatus, number>()
  const explained = new Set(blocks.map(([block]) => block))
  for (const { status } of keywords.filter(({ block }) => explained.has(block)))
    counts.set(status, (counts.get(status) ?? 0) + 1)
  const rows = Object.entries(statuses).map(
    ([status, meaning]) =>
      `| ${status} | ${counts.get(status as KeywordStatus) ?? 0} | ${meaning} |`,
  )
  return ['## Status', '', '| status | keywords | meaning |', '| --- | --- | --- |', ...rows].join(
    '\n',
  )
}

function section(block: BlockName, about: string): string {
  const entries = keywords.filter((keyword) => keyword.block === block)
  const title = block === 'root' ? 'Outside blocks' : `\`${block}\``
  return [
    `## ${title}`,
    '',
    about,
    '',
    '| keyword | arguments | default | status | what it does |',
    '| --- | --- | --- | --- | --- |',
    ...entries.map(row),
  ].join('\n')
}

function row(keyword: Keyword): string {
  const cells = [
    `\`${keyword.name}\``,
    argumentsText(keyword),
    keyword.default ?? '',
    keyword.status,
    meaning(keyword),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
