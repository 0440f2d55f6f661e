import { ShipError } from '../../core/errors.ts';
import { canAsk, openAsker } from '../../system/ask.ts';
import type { Context } from '../command.ts';

/**
 * Requires that each node is named, by `--confirm` or at the terminal: only the name of a node says
 * that this one is meant.
 *
 * @param what the command, for messages: `reset`
 * @throws ShipError `usage` naming the nodes that nobody named; `interrupted`
 */
export async function requireConfirmed(
  context: Context,
  what: string,
  nodes: readonly string[],
  confirmed: readonly string[],
): Promise<void> {
  refuseUnknown(context, what, confirmed);
  const open = nodes.filter((node) => !confirmed.includes(node));
  if (context.flags.dryRun === true || open.length === 0) return;
  if (!canAsk()) throw notConfirmed(what, open, nodes);
  using asker = openAsker(context.signal);
  for (const node of open) {
    const typed = await asker.ask(`${what} ${node}? type its name`);
    if (typed !== node) throw notConfirmed(what, [node], nodes);
  }
}

function refuseUnknown({ config }: Context, what: string, names: readonly string[]): void {
  const unknown = names.find((name) => !config.nodes.some((node) => node.name === name));
  if (unknown === undefined) return;
  throw new ShipError('usage', `--confirm ${unknown}: no node has this name`, {
    hint: `ciliumship ${what} --confirm ${config.nodes.map(({ name }) => name).join(' ')}`,
  });
}

function notConfirmed(what: string, open: readonly string[], nodes: readonly string[]): ShipError {
  return new ShipError('usage', `${open.join(', ')}: not confirmed, so nothing was removed`, {
    hint: `look at what would go: ciliumship ${what} --dry-run; then: ciliumship ${what} --nodes ${nodes.join(',')} --confirm ${nodes.join(' ')}`,
  });
}
