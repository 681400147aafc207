/**
 * What every decoder here returns: a value, or the name of what is wrong with the bytes. Bytes come from
 * strangers, so a decoder never throws; the caller counts the reason.
 */
export type Decoded<Value, Reason extends string> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly why: Reason }

export const accept = <Value>(value: Value): { readonly ok: true; readonly value: Value } => ({
  ok: true,
  value,
})

export const reject = <Reason extends string>(
  why: Reason,
): { readonly ok: false; readonly why: Reason } => ({ ok: false, why })
