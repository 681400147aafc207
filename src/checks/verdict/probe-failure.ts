/** Why a probe says no, in the operator's words. */
export class ProbeFailure extends Error {}
