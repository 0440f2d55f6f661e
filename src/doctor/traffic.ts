import type { Action } from '../core/action.ts';
import { detachArgv, isPinOf, type TrafficProgram } from '../facts/bpf.ts';
import type { NodeView } from './view.ts';

/** Programs of Cilium at the traffic control hooks. */
export function ofCilium(traffic: readonly TrafficProgram[]): readonly TrafficProgram[] {
  return traffic.filter(({ program }) => program.startsWith('cil_'));
}

/** Why nobody can say what is attached there. */
export const BLIND =
  'bpftool is missing, or older than 7.3 and blind to the TCX links that are there';

/**
 * Takes a program off: by its pin, which cannot hit another one, else by the id of its link, which
 * was read a moment ago.
 */
export function detach(node: Pick<NodeView, 'pins'>, at: TrafficProgram): Action {
  const { device, hook, program } = at;
  const effect = `detaches ${program} from ${hook} of ${device}`;
  const undo = 'a starting agent attaches its program again';
  const pin = node.pins.find((own) => isPinOf(own, device) && own.program === program);
  if (pin !== undefined) return { argv: ['rm', '-f', '--', pin.path], effect, undo };
  return { argv: detachArgv(at), effect, undo };
}
