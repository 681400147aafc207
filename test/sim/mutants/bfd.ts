/** Of BFD sessions and of what a lost one takes over. */
import type { Mutant } from './mutant.ts'

export const bfdMutants: readonly Mutant[] = [
  {
    name: 'bfd: a Final is not sent',
    file: 'native/engine/bfd_core.cc',
    find: 'if ((flags & kPoll) != 0 && session->answer != nullptr)',
    replace: 'if ((flags & kPoll) != 0 && session->answer == nullptr)',
  },
  {
    name: 'bfd: an expiry takes over from another master',
    file: 'native/engine/core_time.cc',
    find: 'if (!follows && slot->overruled != master) return;',
    replace: 'if (!slot->expect.has_value() || master.length == 0) return;',
  },
  {
    name: 'bfd: a lost session takes nothing over',
    file: 'native/engine/bfd_core.cc',
    find: 'if (silent && !session->away) event.takeover = order.takeover;',
    replace: 'if (silent && session->away) event.takeover = order.takeover;',
  },
  {
    name: 'bfd: a lower master that is lost is waited for',
    file: 'src/engine/plans.ts',
    find: '...(overruled === null ? {} : { overruled }),',
    replace: '',
  },
  {
    name: 'bfd: another process begins the detection time anew',
    file: 'native/engine/bfd_core_exchange.cc',
    find: 'if (session->detect_at != kNever && told.detect_at != kNever) session->detect_at = told.detect_at;',
    replace: '',
  },
  {
    name: 'bfd: what was raised while the sessions passed is lost',
    file: 'native/engine/bfd_core_exchange.cc',
    find: 'for (BfdEvent& event : unjudged)',
    replace: 'if (told.empty()) for (BfdEvent& event : unjudged)',
  },
  {
    name: 'bfd: a session that was lost while it passed says up',
    file: 'native/engine/bfd_core_exchange.cc',
    find: 'if (told.expiries > session->order.expiries) ForgetPeer(session);',
    replace: '',
  },
  {
    name: 'bfd: another process has a discriminator of its own',
    file: 'src/router/bfd/sessions.ts',
    find: 'const discriminator = carried?.discriminator ?? this.#newDiscriminator()',
    replace: 'const discriminator = this.#newDiscriminator()',
  },
  {
    name: 'bfd: a packet does not put the detection time off',
    file: 'native/engine/bfd_core.cc',
    find: 'session->detect_at = at + session->order.detection;',
    replace: '',
  },
  {
    name: 'bfd: a thread that was away takes over from a peer that has lost it',
    file: 'native/engine/bfd_core.cc',
    find: 'if (silent && !session->away) event.takeover = order.takeover;',
    replace: 'if (silent) event.takeover = order.takeover;',
  },
  {
    name: 'bfd: who seizes the sessions of a thread that was away takes over by them',
    file: 'native/engine/bfd_core_exchange.cc',
    find: 'session->away = true;',
    replace: '',
  },
  {
    name: 'bfd: a neighbour that has just said Down is taken for dead',
    file: 'native/engine/bfd_core.cc',
    find: 'if (silent && !session->away) event.takeover = order.takeover;',
    replace: 'if ((silent || !session->away) && !session->away) event.takeover = order.takeover;',
  },
  {
    name: 'bfd: an order that crossed with an expiry is taken up',
    file: 'native/engine/bfd_core.cc',
    find: 'if (session == nullptr || order.expiries < session->expiries) return;',
    replace: 'if (session == nullptr) return;',
  },
  {
    name: 'bfd: a session that never was up takes over',
    file: 'src/router/bfd/session-run.ts',
    find: "takeover: state === 'Up' ? this.#takeover : [],",
    replace: 'takeover: this.#takeover,',
  },
  {
    name: 'bfd: a session that is taken away goes silent',
    file: 'src/router/bfd/sessions.ts',
    find: '!sameSockets(run.cfg, cfg)) this.#close(name, run.farewell)',
    replace: '!sameSockets(run.cfg, cfg)) this.#close(name, null)',
  },
  {
    name: 'bfd: a session that is taken away at the other end counts as lost',
    file: 'src/router/bfd/session-run.ts',
    find: "else if (peer?.state === 'AdminDown') return",
    replace: "else if (peer?.state === 'Up') return",
  },
  {
    name: 'bfd: each packet is raised',
    file: 'src/router/bfd/session-run.ts',
    find: "this.#expect = event.kind === 'packet' && this.#repeats(event.packet) ? bytes : null",
    replace: 'this.#expect = null',
  },
  {
    name: 'bfd: what another process passes on begins anew',
    file: 'src/router/bfd/session-run.ts',
    find: '    this.#session = session\n    this.verdict = verdict\n',
    replace: '    this.verdict = verdict\n',
  },
  {
    name: 'bfd: a detection time that expired leaves the session up',
    file: 'src/bfd/session.ts',
    find: "return enter(gone, params, 'Down', bfdDiagnostic.detectionTimeExpired)",
    replace: 'return gone',
  },
]
