/**
 * How much a configuration may ask of the machine while it is read. What it may unfold into once it is
 * read is bounded in config/language/limits.ts.
 */

/** Of one file: 400,000 lines (lines-limits.ts) of 80 characters. */
export const fileBytesMax = 32 * 1024 * 1024
/** Of all files of one configuration, certificates and keys included. */
export const totalBytesMax = 64 * 1024 * 1024
/** Names that the patterns of all includes may look at: 4,096 files with a dozen other names beside each. */
export const entriesMax = 50_000
/**
 * From the request to the parsed configuration. 400,000 lines take a few seconds on a busy machine; beyond
 * this a file system does not answer. Below the minute after which the control socket gives a reload up.
 */
export const loadMs = 40_000
/** For the question whether the files have changed: `vipd status` waits for it, and its client waits 5 s. */
export const compareMs = 1_500
/** A thread without work ends after this; `vipd status` every few seconds finds it running. */
export const idleMs = 30_000
/** Threads that hang in a system call cannot be ended. With so many of them no other one is started. */
export const hangingMax = 4
/** Of one configuration; what there is beyond is counted. 4,000 instances may each have two of the same. */
export const diagnosticsMax = 10_000
/** The parsed tree of 400,000 lines takes about a quarter of it. */
export const heapMegabytes = 1_024
