import { ShipError } from '../../core/errors.ts';
import { handEdits } from '../../deploy/hand-edits.ts';
import { objectChanges, type ObjectChange } from '../../deploy/object-changes.ts';
import { isTree } from '../../deploy/tree.ts';
import { valueChanges } from '../../deploy/value-changes.ts';
import type { Context } from '../command.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { Rollout } from './rollout.ts';

/**
 * Fields that the chart sets and somebody changed by hand since Helm applied it; Helm, which
 * compares its own manifests, does not see them.
 *
 * @returns `ConfigMap cilium-config: data.mtu (kubectl-edit)`; none before the first install
 * @throws ShipError as the cluster does
 */
export async function editsByHand(rollout: Rollout): Promise<readonly string[]> {
  const { cluster, helm, namespace, release } = rollout;
  const applied = await helm.manifest(release);
  if (applied === undefined) return [];
  return handEdits(await cluster.objects(namespace, applied));
}

/** True when Helm would stop at these edits (Helm 4 that applies on the server). */
export async function needsForce(
  { helm, release }: Rollout,
  edits: readonly string[],
): Promise<boolean> {
  return edits.length > 0 && (await helm.appliesOnServer(release));
}

/**
 * Says what was changed by hand and will be taken back.
 *
 * @throws ShipError `config` naming the fields when Helm would stop at them
 */
export function requireTakenBack(
  { flags, output }: Context<DeployFlags>,
  stops: boolean,
  edits: readonly string[],
): void {
  if (stops && flags.forceConflicts !== true) {
    throw new ShipError(
      'config',
      'fields of the release were changed by hand; Helm 4 stops there',
      {
        details: edits,
        hint: 'take them back: ciliumship deploy --force-conflicts   (or write them into the values file)',
      },
    );
  }
  for (const edit of edits) output.note(`changed by hand, taken back: ${edit}`);
}

/**
 * Shows what the rollout would change: values against those of the newest revision, and every object
 * of the chart against what the cluster has.
 *
 * @throws ShipError as Helm and cluster do
 */
export async function showChanges({ output }: Context, rollout: Rollout): Promise<void> {
  const { cluster, helm, namespace, release, rendered, values } = rollout;
  const applied = (await helm.manifest(release)) ?? '';
  const [before, ...seen] = await Promise.all([
    helm.values(release),
    cluster.objects(namespace, rendered, true),
    cluster.objects(namespace, applied, true),
  ]);
  const changes = valueChanges(isTree(before) ? before : undefined, values);
  output.note(changes.length === 0 ? 'values: no change' : 'values:');
  for (const change of changes) output.note(`  ${change}`);
  const objects = objectChanges(...seen);
  output.note(objects.length === 0 ? 'objects: no change' : 'objects:');
  for (const line of objects.flatMap(objectLines)) output.note(`  ${line}`);
}

function objectLines({ object, what, fields }: ObjectChange): readonly string[] {
  return [`${what} ${object}`, ...fields.map((field) => `  ${field}`)];
}
