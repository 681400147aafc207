/** `global_defs`, when all of it is read. */

import type { Us } from '../../base/time.ts'
import type { GlobalDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { settlePlain } from '../grammar/settle.ts'
import { globalInputs, globalOptions } from '../keywords/global.ts'
import { identityOptions } from '../keywords/identity.ts'
import { mailOptions } from '../keywords/mail.ts'
import type { Fifo } from '../notify.ts'
import type { Globals, Instance, TimedCommand } from '../types.ts'
import type { UserCommand } from '../user-command.ts'
import { finishInterfaceDelays } from './interface-delays.ts'

export function finishGlobals(instances: readonly Instance[], lowering: Lowering): Globals {
  const { globals: draft } = lowering
  const inputs = settlePlain(globalInputs, draft.inputs, lowering)
  return {
    ...settlePlain(globalOptions, draft.options, lowering),
    ...settlePlain(identityOptions, draft.identity, lowering),
    interfaceDelays: finishInterfaceDelays(instances, lowering),
    http: draft.http,
    controlGroup: draft.controlGroup,
    pushGroup: draft.pushGroup,
    umask: draft.umask,
    processors: draft.processors,
    httpPeers: draft.httpPeers,
    snmp: draft.snmp,
    mail: finishMail(draft, lowering),
    notifyFifos: finishFifos(draft),
    startupScript: timed(draft.startupScript, inputs.startupTimeoutUs),
    shutdownScript: timed(draft.shutdownScript, inputs.shutdownTimeoutUs),
  }
}

/** Without a recipient or a server there is no mail. */
function finishMail(draft: GlobalDraft, lowering: Lowering): Globals['mail'] {
  const { mailTo: to, mailServer } = draft
  if (to.length === 0 || mailServer === null) return null
  const { host: server, port } = mailServer
  return { to, server, port, ...settlePlain(mailOptions, draft.mail, lowering) }
}

const finishFifos = ({ fifos }: GlobalDraft): readonly Fifo[] =>
  [...fifos.values()].flatMap(({ fifo, script }) => (fifo === null ? [] : [{ ...fifo, script }]))

const timed = (command: UserCommand | null, timeoutUs: Us): TimedCommand | null =>
  command === null ? null : { command, timeoutUs }
