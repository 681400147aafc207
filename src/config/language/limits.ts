/**
 * How much a configuration may unfold into. Real files stay far below; a hostile or mistaken one (a list
 * that includes itself, a sequence to a thousand million) ends with a diagnostic instead of the daemon.
 */

/** keepalived's buffer, less its terminator; also the longest line after substitution. */
export const lineCharactersMax = 1023
/** Logical lines, definitions and sequence steps in all: 4,000 instances of 100 lines. */
export const linesMax = 400_000
/** Replacements in all, and in one line: each costs at most a copy of that line. */
export const replacementsMax = 1_000_000
export const replacementsPerLineMax = 200
/** Files that are being read at the same time, each included by the one before. */
export const includeDepthMax = 32
export const filesMax = 4_096
/** Alternatives that the braces of one include pattern may unfold into. */
export const braceAlternativesMax = 1_024
/** Definitions and sequences that are being replayed at the same time, each within the one before. */
export const replayDepthMax = 256
/** Blocks within blocks. keepalived's own grammar needs five. */
export const blockDepthMax = 64
/** Of one instance, whichever list they are in: adding them takes a host seconds. */
export const addressesMax = 16_384
/** Of one instance: each advert goes to every one of them. */
export const peersMax = 4_096
