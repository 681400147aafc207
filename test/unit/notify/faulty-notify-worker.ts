/** The shipped notify worker behind a planted fault: listeners are called in the order of these imports. */
import './notify-planted-fault.ts'
import '../../../src/notify/worker.ts'
