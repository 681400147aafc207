/** How long the threads of a simulated daemon take to hear of each other, in µs of true time. */

/** How soon the main thread takes up what the engine raised. */
export const mainLatencyUs = { least: 30, most: 1_500 }
/** What the main thread may need to answer: it works in turns, and one answer may provoke another. */
export const answerUs = 4 * mainLatencyUs.most
/** From BFD's thread to the engine's, at most. */
export const betweenThreadsUs = 60
/** Until a daemon has made rules anew that another program has flushed. */
export const rulesBackUs = { least: 20_000, most: 200_000 }
/** From a daemon's death to its warden's first packet. */
export const wardenLatencyUs = 500
