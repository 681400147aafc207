/** `auth_hmac`: what signs adverts, and which are accepted. */

/**
 * enforce: signed adverts are sent, and no others accepted; permissive: unsigned ones are accepted too; receive-only:
 * unsigned ones are sent as well.
 */
export type HmacMode = 'enforce' | 'permissive' | 'receive-only'

/** `id` 1..255; `secret` of 32 to 64 octets is shown nowhere. */
export type HmacKey = { readonly id: number; readonly secret: Uint8Array }

export type Hmac = {
  readonly keys: readonly HmacKey[]
  /** The id of the key that signs; one of `keys`. */
  readonly activeKey: number
  readonly mode: HmacMode
  readonly monotonic: boolean
  readonly windowSeconds: number
}
