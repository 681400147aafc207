/**
 * One change of master, from the wire: when the protocol allowed it, when the new master first spoke, when it first
 * announced the address, and when the client was first answered by it.
 */
import type { Capture, Frame, VrrpFrame } from '../lab/capture.ts'
import { nowMs } from '../lab/wait.ts'
import { type Cause, strikes } from './causes.ts'
import { type Pair, priorities, type Role, vip } from './pair.ts'

/** Milliseconds. Past the floor: the protocol's own deadline, by the adverts that were on the wire. */
export type Trial = {
  /** From the last advert of the old master, or its resignation: what the protocol wants to be waited. */
  readonly floorMs: number
  readonly advertMs: number
  /** null: not within the patience. */
  readonly arpMs: number | null
  readonly answerMs: number | null
  /** From the last answer of the old master to the first of the new one. */
  readonly outageMs: number | null
}

/** 'early': the heir had spoken before the strike; this machine is too busy for the interval. */
export type Outcome = Trial | 'early'

/** Beyond this an answer counts as never: the client has what it knows of the old master, and no announcement corrects it. */
export const patienceMs = 10_000

type Struck = { readonly struck: Outcome; readonly returned: Outcome | null }
type Striking = Exclude<Cause, 'return'>

/** Waits until the pair is settled, strikes, measures, and undoes; for 'cut' the undoing is measured too. */
export async function strikeOnce(pair: Pair, cause: Striking): Promise<Struck> {
  await pair.settled()
  return strikeSettled(pair, cause)
}

export async function strikeSettled(pair: Pair, cause: Striking): Promise<Struck> {
  const client = await pair.ask()
  const { answers } = client
  const back = () => strikes[cause].undo(pair)
  const struck = await change(pair, answers, 'heir', () => strikes[cause].strike(pair))
  const returned = cause === 'cut' ? await change(pair, answers, 'better', back) : null
  await client.end()
  if (cause !== 'cut') await back()
  return { struck, returned }
}

async function change(
  pair: Pair,
  answers: Capture,
  to: Role,
  cause: () => Promise<void>,
): Promise<Outcome> {
  const { wire } = pair
  const from = wire.mark
  const asked = answers.mark
  const struckMs = nowMs()
  // An orderly stop lasts longer than what it causes.
  const striking = cause()
  const first = await wire.advert(
    `${to} speaks`,
    20_000,
    (a) => a.priority === priorities[to],
    from,
  )
  await striking
  if (first.atMs < struckMs) return 'early'
  const ours = (f: Frame) => f.atMs >= first.atMs && pair.sentBy(f, to)
  const arp = await within(wire, from, (f) => isAnnouncement(f) && ours(f))
  const answer = await within(answers, asked, ours)
  const before = answers.frames.items.findLast(
    (f) => !pair.sentBy(f, to) && f.atMs < (answer?.atMs ?? 0),
  )
  const { floorMs, dueMs } = to === 'heir' ? floorOf(pair, first, from) : atOnce(first)
  const past = (frame: Frame | null): number | null => (frame === null ? null : frame.atMs - dueMs)
  return {
    floorMs,
    advertMs: first.atMs - dueMs,
    arpMs: past(arp),
    answerMs: past(answer),
    outageMs: answer === null || before === undefined ? null : answer.atMs - before.atMs,
  }
}

const isAnnouncement = (f: Frame): boolean => f.kind === 'arp' && f.gratuitous && f.target === vip

async function within(
  capture: Capture,
  from: number,
  wants: (frame: Frame) => boolean,
): Promise<Frame | null> {
  try {
    return await capture.frames.next('', patienceMs, wants, from)
  } catch {
    return null
  }
}

type Floor = { readonly floorMs: number; readonly dueMs: number }

/** A master that comes back is believed at its first advert. */
const atOnce = (first: Frame): Floor => ({ floorMs: 0, dueMs: first.atMs })

/**
 * When the heir was allowed to speak: one skew after the old master's resignation, else one down interval after the
 * last advert that was as good as the heir (RFC 9568 section 6.4.2).
 */
function floorOf(pair: Pair, first: VrrpFrame, from: number): Floor {
  const counts = (a: VrrpFrame): boolean =>
    a.atMs < first.atMs && (a.priority === 0 || a.priority >= priorities.better)
  // The strike may come between two adverts, and the last one before it has been seen already.
  const adverts = pair.wire.adverts(counts, Math.max(0, from - 50))
  const lastGood = adverts.findLastIndex((a) => a.priority !== 0)
  const resigned = adverts[lastGood + 1]
  const last = resigned ?? adverts[lastGood]
  if (last === undefined) throw new Error('the better one was never heard')
  const floorMs = resigned === undefined ? pair.downMs('heir') : pair.skewMs('heir')
  return { floorMs, dueMs: last.atMs + floorMs }
}
