/** What an instance or a sync group tells of its states. */
import type { NotifyDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Written } from '../draft/written.ts'
import { settlePlain } from '../grammar/settle.ts'
import { notifyOptions } from '../keywords/notify.ts'
import type { Notify, NotifyOptions } from '../notify.ts'

type Notifying = {
  readonly notify: NotifyDraft
  readonly notifyOptions: Written<NotifyOptions>
}

export const notifyOf = (
  { notify, notifyOptions: written }: Notifying,
  lowering: Lowering,
): Notify => ({
  ...notify,
  ...settlePlain(notifyOptions, written, lowering, lowering.globals.instances.notifyOptions),
})
