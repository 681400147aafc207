/** The latest transitions, with the claims of their time: of the claims each is on one page. */
import { jsonLines, type LatestPage, type LatestQuery, transitionsOf } from '../../report/kept.ts'
import { claimIsWithin, type KeptClaim } from '../../report/past-claim.ts'
import { readClaims } from './claims-file.ts'
import { numbered, readLatest } from './files.ts'

/** Throws as `readPage` does. */
export function latestPage(directory: string, query: LatestQuery): LatestPage {
  const page = readLatest(directory, query)
  const [oldest] = transitionsOf(page)
  const next = query.before === null ? null : numbered(directory, query.before)
  const fromMs = page.next === null || oldest === undefined ? 0 : Date.parse(oldest.at)
  const beforeMs = next === null ? Number.MAX_SAFE_INTEGER : Date.parse(next.at)
  const claims = claimsIn(directory).filter((claim) => {
    const atMs = Date.parse(claim.at)
    return atMs >= fromMs && atMs < beforeMs && claimIsWithin(claim, query)
  })
  return { ...page, claims: jsonLines(claims) }
}

/** A file that cannot be read holds back no transition; `status` warns of it when one is to be written. */
function claimsIn(directory: string): readonly KeptClaim[] {
  try {
    return readClaims(directory)
  } catch {
    return []
  }
}
