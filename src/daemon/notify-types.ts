/** What the daemon tells the notifier. */
import type { Fifo, Mail, Notify } from '../config/types.ts'

/** The words of the FIFO lines and of the general script's arguments. */
export type NotifyState =
  | 'MASTER'
  | 'BACKUP'
  | 'FAULT'
  | 'STOP'
  | 'DELETED'
  | 'MASTER_RX_LOWER_PRI'
  | 'MASTER_PRIORITY'
  | 'BACKUP_PRIORITY'

export type Notification = {
  readonly name: string
  readonly state: NotifyState
  /** Effective priority; not looked at for groups, which always say 0. */
  readonly priority: number
  readonly notify: Notify
}

export type NotifyLog = (level: 'info' | 'warning' | 'error', text: string) => void

/** From the configuration; a reload replaces it. */
export type NotifySettings = {
  readonly mail: Mail | null
  readonly routerId: string
  /** The global FIFO, then the VRRP one. */
  readonly fifos: readonly Fifo[]
  readonly noEmailFaults: boolean
}

export type Notifier = {
  instance(notification: Notification): void
  group(notification: Notification): void
  /** FIFOs that stay the same stay open; queued notifications go on. */
  reconfigure(settings: NotifySettings): void
  /**
   * Lets what is queued run for a moment, then only STOP scripts (killed after 1 s each); removes the FIFOs.
   * Resolves within about 3 s whatever the scripts and the mail server do. Call it after the last notification.
   */
  stop(): Promise<void>
}
