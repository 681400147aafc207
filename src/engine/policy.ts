/**
 * The numbers by which the engine behaves, with their reasons. C++ has none of its own: what is the same for every
 * instance goes down when the engine starts, and what follows from an instance's intervals goes with its orders. The
 * simulator's core gets the same value from here.
 */
import { type Us, us } from '../base/time.ts'

/** A token bucket: one token each `everyUs`, at most `burst` of them. */
export type Allowance = { readonly everyUs: Us; readonly burst: number }

export type EnginePolicy = {
  /** Unexpected packets of one source that reach TypeScript. */
  readonly source: Allowance
  /** Sources of one link that were not heard lately: each needs a token before it gets a bucket of its own. */
  readonly newSource: Allowance
  /** Unexpected packets of one slot, of any sender, that reach TypeScript when the source has none left. */
  readonly slot: Allowance
  /** Unexpected packets of one link that are read before its socket gets the tight filter. */
  readonly openFilter: Allowance
  /** Packets that wait for TypeScript, of all slots, beyond each slot's own allowance. */
  readonly packetsWaiting: number
  /** How long the tight filter stays; twice as long each time that it has to come back at once, up to the longest. */
  readonly filterShutUs: { readonly first: Us; readonly longest: Us }
  /** A pause between two adverts is kept with its instant when it is longer than this share of the usual one. */
  readonly unusualGapPercent: number
  /** Adverts and their losses are counted by windows of this length. */
  readonly advertWindowUs: Us
  /** DS field of what is sent (RFC 2474): IP_TOS, IPV6_TCLASS. */
  readonly trafficClass: number
  /** Between the real-time limit that lowers a thread (XCPU) and the one that kills the process. */
  readonly rttimeGraceUs: Us
  /** The warden's sign of life comes at least so often. */
  readonly wardenBeatUs: Us
  /** At an orderly stop: until a warden that was dismissed is killed, and until a killed one is left to itself. */
  readonly wardenEndUs: { readonly dismissed: Us; readonly killed: Us }
  /** When the slots are given to another process (exchange.ts). */
  readonly exchangeUs: {
    /** No advert is due sooner than this, or it has been looked for such a moment for so long. */
    readonly room: Us
    readonly roomPatience: Us
    /** Not taken before the next advert is due, or within the longest, they are taken back. */
    readonly takenMost: Us
    /** Instead, where an advert is due sooner than `room`: it is late by so much. */
    readonly takenLeast: Us
    /** Packets that the other process may not have read any more are kept for so long. */
    readonly kept: Us
    /** BFD sessions that are not given so long after the slots were taken are seized; half an interval, if that is less. */
    readonly sessionsGiven: Us
  }
}

export const enginePolicy: EnginePolicy = {
  // 200 a second, 50 at once: more than any honest router sends, a share of a core that nothing else misses.
  source: { everyUs: us(5_000), burst: 50 },
  // 1,000 a second, 250 at once: spoofed sources can neither push out the real ones nor pass as a crowd.
  newSource: { everyUs: us(1_000), burst: 250 },
  // 8 a second, 8 at once: hundreds of masters heard for the first time in one interval are one source, and no flood.
  slot: { everyUs: us(125_000), burst: 8 },
  // 10 a second, 50 at once: a neighbour with another VRID stays below it, so that it is counted.
  openFilter: { everyUs: us(100_000), burst: 50 },
  // A main thread that stands still for a second meets no more than it can look at in some tens of milliseconds.
  packetsWaiting: 1_024,
  // 10 s to 320 s: a flood that goes on is read for a hundredth of the time in the end.
  filterShutUs: { first: us(10_000_000), longest: us(320_000_000) },
  // Half as long again: at least one advert is missing, or was late.
  unusualGapPercent: 150,
  // Five minutes; the engine keeps twelve of them, an hour.
  advertWindowUs: us(300_000_000),
  // CS6, internetwork control, as every router marks VRRP.
  trafficClass: 0xc0,
  // Long enough for a thread that has been lowered to be out of the kernel's count.
  rttimeGraceUs: us(10_000_000),
  wardenBeatUs: us(1_000_000),
  // It ends in microseconds, unless the kernel holds it.
  wardenEndUs: { dismissed: us(100_000), killed: us(2_000_000) },
  exchangeUs: {
    // The other engine's thread wakes in some tens of microseconds: what is due sooner goes out before.
    room: us(1_000),
    // With thousands of instances one is always due: an advert is late then by what waking up takes.
    roomPatience: us(50_000),
    // The other main thread waits for nothing else meanwhile, and an advert that is heard is judged so much later.
    takenMost: us(100_000),
    // Waking up, on a machine that is busy, and a fifth of the shortest interval.
    takenLeast: us(2_000),
    // Ten times what the slots can be given for.
    kept: us(1_000_000),
    // Of a process that has died, or gets no processor: too few for the other end to miss a packet by.
    sessionsGiven: us(5_000),
  },
}

/** Of announcements: a real-time thread that sends a long queue of them sleeps in between. */
export const leastGapUs = us(100)

/** Of restartUs, which is about three adverts: woken later than one of them, a follow may have missed it. */
const lateShare = 3
/** Of what a lead may be late, this share is the warden's to act in: its timer, its sends, one busy kernel. */
const wardenShare = 4
/** More than that it never needs. */
const wardenMarginMaxUs = 100_000
/** Below this a thread is late without anything being wrong, and the warden would act on a healthy daemon. */
const leastLateUs = 2_000

/**
 * When a thread that is woken after a follow's deadline listens for one more restartUs instead of taking over: later
 * than `lateUs` once, because it can have been deaf meanwhile; later than `absentUs`, a whole restartUs, each time.
 */
export const followPatience = (restartUs: Us): { readonly lateUs: Us; readonly absentUs: Us } => ({
  lateUs: us(Math.floor(restartUs / lateShare)),
  absentUs: restartUs,
})

/** How late the engine may be before the warden gives its leads up: a margin before the lead would resign on its own. */
export function wardenLateUs(lateUs: Us): Us {
  const late = Math.max(lateUs, leastLateUs)
  return us(late - Math.min(Math.floor(late / wardenShare), wardenMarginMaxUs))
}
