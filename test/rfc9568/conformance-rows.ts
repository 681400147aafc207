/** RFC 9568 sentence by sentence: what vipd does of it, and the tests that show it. docs/conformance.md is made from it. */
import { format } from './conformance-format.ts'
import { operation } from './conformance-operation.ts'
import type { Row } from './conformance-row.ts'
import { states } from './conformance-states.ts'

export const rows: readonly Row[] = [...format, ...states, ...operation]
