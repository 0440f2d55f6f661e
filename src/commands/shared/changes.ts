import { ShipError } from '../../core/errors.ts';
import type { Cluster, FieldConflict, Helm, ReleaseName } from '../../deploy/cluster.ts';
import { handEdits } from '../../deploy/hand-edits.ts';
import { objectChanges, type ObjectChange } from '../../deploy/object-changes.ts';
import { isTree } from '../../deploy/tree.ts';
import { valueChanges } from '../../deploy/value-changes.ts';
import { allOf } from '../../output/together.ts';
import type { Context } from '../command.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { Rollout } from './rollout.ts';

/** Fields that are named of all that are held. */
const SHOWN = 20;

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

/** Whether Helm stops at fields of others, and at which it would. */
export interface Held {
  /** Helm applies on the server (Helm 4), and takes `--force-conflicts`. */
  readonly onServer: boolean;
  readonly conflicts: readonly FieldConflict[];
}

/**
 * Fields at which Helm would stop in the middle of a rollout, whoever holds them: the API server is
 * asked beforehand.
 *
 * @param inOurOrder whether something else is applied while agents are replaced
 * @throws ShipError as Helm and cluster do
 */
export async function heldFields(
  rollout: Pick<Rollout, 'cluster' | 'helm' | 'release' | 'underWay' | 'rendered'>,
  inOurOrder: boolean,
): Promise<Held> {
  const { cluster, helm, release, underWay, rendered } = rollout;
  if (!(await helm.appliesOnServer(release))) return { onServer: false, conflicts: [] };
  const ask = (manifest: string) => cluster.conflicts(release.namespace, manifest);
  const before = inOurOrder ? helm.render(underWay).then(ask) : Promise.resolve([]);
  const asked = await allOf(ask(rendered), before);
  const found = new Map(
    asked.flat().map((conflict) => [conflictText(conflict), conflict] as const),
  );
  return { onServer: true, conflicts: [...found.values()] };
}

function conflictText({ object, field, manager }: FieldConflict): string {
  return `${object}: ${field} (${manager})`;
}

/**
 * Says what was changed past Helm and will be taken back: of a rollout that has something to do.
 *
 * @throws ShipError `config` naming objects, fields and managers when Helm would stop at them
 */
export function requireTakenBack(
  { flags, output }: Context<DeployFlags>,
  { edits }: Applied,
  { conflicts }: Held,
): void {
  const held = conflicts.map(conflictText);
  if (held.length > 0 && flags.forceConflicts !== true) {
    throw new ShipError(
      'config',
      'fields of the release were changed past Helm, by hand or by another program; Helm 4 stops there',
      {
        details: [
          ...held.slice(0, SHOWN),
          ...(held.length > SHOWN ? [`and ${held.length - SHOWN} more`] : []),
        ],
        hint: 'take them back: ciliumship deploy --force-conflicts   (or write them into the values file)',
      },
    );
  }
  // An edit may name several fields of one manager.
  const isNamed = ({ object, manager }: FieldConflict): boolean =>
    edits.some((edit) => edit.startsWith(`${object}: `) && edit.endsWith(` (${manager})`));
  const others = conflicts.filter((conflict) => !isNamed(conflict)).map(conflictText);
  const what = flags.dryRun === true ? 'would be taken back' : 'is taken back';
  for (const edit of [...edits, ...others]) output.note(`changed past Helm, ${what}: ${edit}`);
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
