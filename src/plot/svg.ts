/** SVG as text: elements, escaped, and the look that all pictures share on light and on dark ground. */

export type Attributes = Readonly<Record<string, string | number>>

/** For text and for attribute values. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

/** Two decimals: finer than any screen. Throws for what is no place, which would vanish silently. */
export function place(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('a coordinate that is not finite')
  return String(Math.round(value * 100) / 100)
}

export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const words = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? place(value) : escapeXml(value)}"`,
  )
  const open = `<${name}${words.join('')}`
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`
}

export const text = (x: number, y: number, words: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escapeXml(words))

/** Okabe and Ito's, which colour-blind people tell apart. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#7b52ab'] as const
/** Lighter ones for dark ground. */
const darkColours = ['#56b4e9', '#f0883e', '#2fd6a3', '#e6a3cb', '#f2c14e', '#b794f4'] as const

/** Written out: not every program that shows SVG knows CSS variables. */
const rules = (ink: string, soft: string, grid: string, ground: string, of: readonly string[]) =>
  [
    `text{fill:${ink}}.soft{fill:${soft}}.grid{stroke:${grid}}.ground{fill:${ground}}.theory{stroke:${soft}}`,
    ...of.map(
      (colour, i) =>
        `.line.s${i},.mark.s${i}{stroke:${colour}}.dot.s${i},.faint.s${i},.band.s${i}{fill:${colour}}`,
    ),
  ].join('')

const style = `<style>
text{font:13px system-ui,sans-serif;font-variant-numeric:tabular-nums}.title{font-size:16px;font-weight:600}
.line{fill:none;stroke-width:2}.mark{stroke-width:2.5}.band{opacity:.15}.faint{opacity:.45}
.theory{fill:none;stroke-width:1.5;stroke-dasharray:6 4}
${rules('#1b1f24', '#6a737d', '#e4e7eb', '#ffffff', colours)}
@media(prefers-color-scheme:dark){${rules('#e6edf3', '#9aa4af', '#30363d', '#0d1117', darkColours)}}
</style>`

/** Colours of series repeat after six. */
export const seriesClass = (index: number): string => `s${index % colours.length}`

/** `title`: what it is called where it is not seen. */
export function picture(
  width: number,
  height: number,
  title: string,
  ...children: string[]
): string {
  const name = element('title', {}, escapeXml(title))
  const ground = element('rect', { class: 'ground', width, height })
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
  }
  return element('svg', attributes, name, style, ground, ...children)
}
