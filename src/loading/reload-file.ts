/** Where `reload_file` is. */
import type { Globals } from '../config/types.ts'

/** null: none is wanted. */
export function reloadFileOf({
  reloadFile,
  netNamespace,
  instanceName,
}: Pick<Globals, 'reloadFile' | 'netNamespace' | 'instanceName'>): string | null {
  if (reloadFile !== '') return reloadFile
  const folder = netNamespace === null ? '/run/keepalived' : `/run/keepalived/${netNamespace}`
  return `${folder}/keepalived${instanceName === null ? '' : `_${instanceName}`}.reload`
}
