/** Connects, and says and hears what it was told to: the probe behind tcp, tls, unix and the line protocols. */
import type { DialogueProbe } from '../../base/probe.ts'
import { type Asking, open } from './connection.ts'
import { judge, unanswered } from './expectation.ts'
import { Ear } from './stream-reader.ts'

/** Resolves with the words of success. Rejects with a Refusal. */
export async function dialogue({ to, tls, turns }: DialogueProbe, asking: Asking): Promise<string> {
  const socket = await open(to, tls, asking)
  if (turns.length === 0) return 'connected'
  socket.once('data', () => asking.passed('first byte'))
  const ear = new Ear(socket)
  for (const turn of turns) {
    if (turn.kind === 'send') socket.write(turn.octets)
    else {
      const { what } = turn
      await ear.hears(
        (heard) => judge(what, heard),
        (heard) => unanswered(what, heard),
      )
    }
  }
  return 'answered as expected'
}
