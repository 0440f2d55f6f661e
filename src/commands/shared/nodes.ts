import picomatch from 'picomatch';
import { suggest } from '../../config/problems.ts';
import { ShipError } from '../../core/errors.ts';
import type { Node } from '../../core/node.ts';

/**
 * The nodes that `--nodes a,b*` names; all of them without it.
 *
 * @throws ShipError `usage` when a name or pattern fits none
 */
export function selectNodes(nodes: readonly Node[], patterns: string | undefined): readonly Node[] {
  if (patterns === undefined) return nodes;
  const wanted = patterns
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
  const unknown = wanted.filter((pattern) => !nodes.some((node) => fits(node, pattern)));
  if (unknown.length > 0 || wanted.length === 0) {
    const names = nodes.map(({ name }) => name);
    const near = unknown.flatMap((word) => suggest(word, names) ?? []);
    const meant = near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`;
    throw new ShipError('usage', `--nodes: no node fits ${unknown.join(', ') || '""'}${meant}`, {
      hint: `name nodes of the config: --nodes ${nodes.map((node) => node.name).join(',')}`,
    });
  }
  return nodes.filter((node) => wanted.some((pattern) => fits(node, pattern)));
}

function fits(node: Node, pattern: string): boolean {
  return picomatch.isMatch(node.name, pattern);
}

/**
 * For commands that must look at every node.
 *
 * @throws ShipError `usage` when `--nodes` is given
 */
export function refuseNarrowing(patterns: string | undefined): void {
  if (patterns === undefined) return;
  throw new ShipError('usage', `--nodes ${patterns}: a rollout always looks at every node`, {
    hint: `ship to some nodes only: ciliumship push --nodes ${patterns}`,
  });
}
