/** Connects, sends and expects what the configuration says: the probe behind tcp, tls, unix and the line protocols. */
import type { DialogueProbe } from '../../base/probe.ts'
import { open, type ProbeContext } from './connection.ts'
import { judge, unanswered } from './expectation.ts'
import { StreamReader } from './stream-reader.ts'

/** Resolves with the words of success. Rejects with a ProbeFailure. */
export async function dialogue(
  { to, tls, turns }: DialogueProbe,
  context: ProbeContext,
): Promise<string> {
  const socket = await open(to, tls, context)
  if (turns.length === 0) return 'connected'
  socket.once('data', () => context.passed('first byte'))
  const reader = new StreamReader(socket)
  for (const turn of turns) {
    if (turn.kind === 'send') socket.write(turn.octets)
    else {
      const { what } = turn
      await reader.read(
        (received) => judge(what, received),
        (received) => unanswered(what, received),
      )
    }
  }
  return 'answered as expected'
}
