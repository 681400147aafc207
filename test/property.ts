/**
 * fast-check with a seed of its own: whether a change passes is decided by the change, not by the luck of its run.
 * `SEED=n` looks at other inputs; what they find becomes an example of the property.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 9568) })

export { fc }
