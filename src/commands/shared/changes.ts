import { ShipError } from '../../core/errors.ts';
import type { Cluster, Helm, ReleaseName } from '../../deploy/cluster.ts';
import { handEdits } from '../../deploy/hand-edits.ts';
import { objectChanges, type ObjectChange } from '../../deploy/object-changes.ts';
import { isTree } from '../../deploy/tree.ts';
import { valueChanges } from '../../deploy/value-changes.ts';
import type { Context } from '../command.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { Rollout } from './rollout.ts';

/** What Helm applied last. */
export interface Applied {
  /** Undefined before the first install. */
  readonly manifest: string | undefined;
  /**
   * Fields of it that somebody changed by hand since: `ConfigMap cilium-config: data.mtu
   * (kubectl-edit)`. Helm, which compares its own manifests, does not see them.
   */
  readonly edits: readonly string[];
}

/** @throws ShipError as Helm and cluster do */
export async function readApplied(
  { cluster, helm }: { readonly cluster: Cluster; readonly helm: Helm },
  release: ReleaseName,
): Promise<Applied> {
  const manifest = await helm.manifest(release);
  if (manifest === undefined) return { manifest, edits: [] };
  return { manifest, edits: handEdits(await cluster.objects(release.namespace, manifest)) };
}

/** True when Helm would stop at what was changed by hand (Helm 4 that applies on the server). */
export async function needsForce({ helm, release, applied }: Rollout): Promise<boolean> {
  return applied.edits.length > 0 && (await helm.appliesOnServer(release));
}

/**
 * Says what was changed by hand and will be taken back.
 *
 * @throws ShipError `config` naming the fields when Helm would stop at them
 */
export function requireTakenBack(
  { flags, output }: Context<DeployFlags>,
  { edits }: Applied,
  stops: boolean,
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
  const { cluster, helm, namespace, release, rendered, values, applied } = rollout;
  const [before, ...seen] = await Promise.all([
    helm.values(release),
    cluster.objects(namespace, rendered, true),
    cluster.objects(namespace, applied.manifest ?? '', true),
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
