/** Kinds of plain value: the words that a line takes, the value that they mean, and a value as the documentation writes it. */
import type { Ip } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import type { Argument, Values } from './entries.ts'
import * as make from './make.ts'

export type Kind<V> = {
  readonly args: readonly Argument[]
  readonly unit?: string
  /** undefined leaves the field as it is. */
  readonly value: (values: Values) => V | undefined
  readonly text: (value: V) => string
}

const onOrOff = (on: boolean): string => (on ? 'on' : 'off')

export const onOff: Kind<boolean> = { args: [make.onOff], value: make.flag, text: onOrOff }

/** Any other word means on, as in keepalived. */
export const onUnlessOff: Kind<boolean> = { ...onOff, args: [make.onUnlessOff] }

/** A keyword without a word: it is on where it is written. */
export const bare: Kind<boolean> = { args: [], value: () => true, text: onOrOff }

/** A keyword without a word, such as `no_accept`: it switches its field off. */
export const bareOff: Kind<boolean> = {
  args: [],
  value: () => false,
  text: (value) => onOrOff(!value),
}

type Bounds = { readonly zeroIs?: number; readonly clamp?: true; readonly optional?: true }

/** A whole number, from `min` to `max`. */
export const whole = (name: string, min: number, max: number, more: Bounds = {}): Kind<number> => ({
  args: [make.integer(name, min, max, more)],
  value: make.number,
  text: String,
})

/** A whole number with a unit, such as `bytes`. */
export const quantity = (name: string, unit: string, min: number, max: number): Kind<number> => ({
  ...whole(name, min, max),
  unit,
})

/** Written in percent; the value is the share. */
export const percent = (min: number, max: number): Kind<number> => ({
  args: [make.integer('PERCENT', min, max)],
  value: (values) => make.number(values) / 100,
  text: (share) => String(100 * share),
})

const secondsText = (span: Us): string => String(span / 1_000_000)

/** Microseconds as seconds, to the millisecond: `0.25 s`. */
export const spanText = (span: number): string => `${Number((span / 1_000_000).toFixed(3))} s`

/** Whole seconds as written, microseconds as a value. */
export const wholeSeconds = (min: number, max: number, more: Bounds = {}): Kind<Us> => ({
  args: [make.integer('SECONDS', min, max, more)],
  unit: 's',
  value: make.seconds,
  text: secondsText,
})

/** Seconds with so many decimals as written, microseconds as a value. */
export const seconds = (
  min: number,
  max: number,
  places: number,
  more: { readonly zeroIs?: number } = {},
): Kind<Us> => ({
  args: [make.decimal('SECONDS', min, max, places, more)],
  unit: 's',
  value: make.seconds,
  text: secondsText,
})

/** One of these words. */
export const oneOf = <const V extends string>(
  name: string,
  first: V,
  ...others: readonly V[]
): Kind<V> => ({
  args: [make.choice(name, first, ...others)],
  value: ([word]) => others.find((other) => other === word) ?? first,
  text: String,
})

/** The multicast group of one address family. */
export const group = (family: 4 | 6): Kind<Ip> => ({
  args: [{ kind: 'address', name: 'IP', family, multicast: true }],
  value: make.address,
  text: String,
})

/** One word, as it stands. */
export const word = (name: string, argument = make.word(name)): Kind<string> => ({
  args: [argument],
  value: (values) => (make.given(values[0]) ? make.text(values) : undefined),
  text: String,
})
