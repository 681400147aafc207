/**
 * Our own bounds, each with its reason. Constants of a protocol live beside its codec.
 */

/** A frame on the control socket. Large enough for `status` of 4,000 instances, too small to hurt. */
export const controlFrameBytesMax = 8 * 1024 * 1024
/** A request on the control socket is a verb and a name. */
export const controlRequestBytesMax = 64 * 1024
export const controlConnectionsMax = 64
/** Of those, readers of events; one that leaves so many octets unread is dropped. */
export const controlStreamsMax = 16
export const controlStreamBytesMax = 512 * 1024
/** The tail of a script's output that is kept for the report. */
export const scriptOutputBytesMax = 4 * 1024
/** Notifications waiting behind one that hangs, per instance; beyond it the oldest is dropped and said so. */
export const notifyQueuedMax = 64
/** Transitions kept per instance for `status` and `history`. */
export const historyPerInstanceMax = 256
