/** One HTML page that needs nothing else: pictures and tables, for a browser or to be sent. */
import { escapeXml } from './svg.ts'

export type Table = {
  readonly head: readonly string[]
  /** Cells that look like numbers are aligned to the right. */
  readonly rows: readonly (readonly string[])[]
}
export type Section = {
  readonly heading: string
  readonly words: readonly string[]
  /** SVG, taken as it is. */
  readonly pictures: readonly string[]
  readonly table: Table | null
}

const style = `
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:1180px;margin:2rem auto;padding:0 1rem;font-variant-numeric:tabular-nums}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}svg{max-width:100%;height:auto;border:1px solid #8884;border-radius:6px}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}th,td{padding:.25rem .7rem;border-bottom:1px solid #8884;text-align:left;white-space:nowrap}
td.number,th.number{text-align:right}
`

export function page(title: string, sections: readonly Section[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeXml(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeXml(title)}</h1>
${sections.map(section).join('\n')}
</body>
</html>
`
}

function section({ heading, words, pictures, table }: Section): string {
  return [
    `<h2>${escapeXml(heading)}</h2>`,
    ...words.map((paragraph) => `<p>${escapeXml(paragraph)}</p>`),
    ...(pictures.length === 0 ? [] : [`<div class="pictures">${pictures.join('\n')}</div>`]),
    ...(table === null ? [] : [htmlTable(table)]),
  ].join('\n')
}

function htmlTable({ head, rows }: Table): string {
  const isNumber = (cell: string | undefined): boolean => /^[-–\d.,%\s/]+$/.test(cell ?? '')
  const numeric = head.map((_, column) => rows.every((row) => isNumber(row[column])))
  const cell = (kind: 'th' | 'td') => (words: string, column: number) =>
    `<${kind}${numeric[column] === true ? ' class="number"' : ''}>${escapeXml(words)}</${kind}>`
  const body = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`)
  return `<div class="wide"><table><thead><tr>${head.map(cell('th')).join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}
