/**
 * The mail that `smtp_alert` asks for: one per change of state, plain SMTP, as keepalived sends it, so that
 * existing filters on the subject keep working. Sending happens in the notify worker; the SMTP library is
 * loaded with the first mail.
 */
import { usToMilliseconds } from '../base/time.ts'
import type { Mail } from '../config/notify.ts'
import { resolveHost } from '../programs/resolve.ts'

export type Message = { readonly subject: string; readonly text: string }

export type MailOccasion = {
  readonly kind: 'instance' | 'group'
  readonly name: string
  readonly state: string
  /** null for groups. */
  readonly priority: number | null
  readonly routerId: string
  readonly at: Date
}

const phrases: Readonly<Record<string, string>> = {
  MASTER: 'Entering MASTER state',
  BACKUP: 'Entering BACKUP state',
  FAULT: 'Entering FAULT state',
  STOP: 'Stopping',
}

/** null for states that send no mail. */
export function composeMail(occasion: MailOccasion): Message | null {
  const { kind, name, state, priority, routerId, at } = occasion
  const phrase = phrases[state]
  if (phrase === undefined) return null
  const subject = `[${routerId}] VRRP ${kind === 'group' ? 'Group' : 'Instance'} ${name} - ${phrase}`
  const lines = [
    `VRRP ${kind} ${name}: ${phrase}`,
    '',
    `Router:   ${routerId}`,
    ...(priority === null ? [] : [`Priority: ${priority}`]),
    `Time:     ${at.toISOString()}`,
    '',
    consequence(kind, state),
  ]
  return { subject, text: `${lines.join('\n')}\n` }
}

function consequence(kind: 'instance' | 'group', state: string): string {
  const who = kind === 'group' ? 'The instances of this group on this router' : 'This router'
  const verb = kind === 'group' ? 'hold' : 'holds'
  return state === 'MASTER'
    ? `${who} now ${verb} the virtual addresses.`
    : `${who} no longer ${verb} the virtual addresses.`
}

/** Beyond connecting: greeting, commands and silence between them. */
const dialogueMs = 30_000

/**
 * Hands one message to the server. Resolves when the server has accepted it; rejects with the library's
 * error otherwise, at the latest half a minute after the connect timeout. The addresses of a server name are
 * tried in turn until one takes the connection.
 */
export async function sendMail(mail: Mail, message: Message): Promise<void> {
  const connectMs = usToMilliseconds(mail.connectTimeoutUs)
  const addresses = await resolveHost(mail.server, connectMs)
  if (addresses.length === 0) throw new Error(`unknown host ${mail.server}`)
  for (const [index, address] of addresses.entries()) {
    try {
      await sendVia(address, mail, message, connectMs)
      return
    } catch (error) {
      const notConnected = error instanceof Error && 'command' in error && error.command === 'CONN'
      if (!notConnected || index === addresses.length - 1) throw error
    }
  }
}

async function sendVia(
  address: string,
  mail: Mail,
  message: Message,
  connectMs: number,
): Promise<void> {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host: address,
    port: mail.port,
    name: mail.helo,
    secure: false,
    ignoreTLS: true,
    connectionTimeout: connectMs,
    greetingTimeout: dialogueMs,
    socketTimeout: dialogueMs,
  })
  try {
    await transport.sendMail({ from: mail.from, to: Array.from(mail.to), ...message })
  } finally {
    transport.close()
  }
}
