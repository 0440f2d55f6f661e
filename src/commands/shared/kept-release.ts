import { ShipError, unlessForbidden } from '../../core/errors.ts';
import type { Cluster, Helm, ReleaseName } from '../../deploy/cluster.ts';
import { isTree, type Values } from '../../deploy/tree.ts';
import { valueChanges } from '../../deploy/value-changes.ts';
import type { LiveRelease } from '../../drift/compare-release.ts';
import type { ShipLock } from '../../drift/lock-file.ts';
import { manifestDigest, parseRecord, recordName, valuesDigest } from '../../drift/record.ts';
import type { Context } from '../command.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';

/** What is known of the release, and the manifest that its objects are compared with. */
export interface KeptRelease {
  readonly live: LiveRelease;
  readonly manifest: string;
}

type Locked = NonNullable<ShipLock['release']>;

/**
 * The release as Helm keeps it, and where Helm cannot be asked (it is not installed, or there is no
 * right to the Secrets that it keeps releases in) as the last rollout recorded it.
 *
 * @throws ShipError `identity` when neither can be read, `network`
 */
export async function readKeptRelease(
  context: Context,
  access: ClusterAccess,
  { release: locked }: ShipLock,
): Promise<KeptRelease | 'none'> {
  const { name, namespace } = releaseOf(context);
  const [byHelm, data] = await Promise.all([
    askHelm(context, access, locked),
    access.cluster.configMap(namespace, recordName(name)).catch(unlessForbidden),
  ]);
  if (byHelm === 'none') return 'none';
  const recorded = data === undefined ? undefined : parseRecord(data);
  const isLocked = recorded !== undefined && recorded.release.manifest === locked?.manifest;
  if (byHelm === undefined && recorded === undefined) throw unread(name, namespace);
  const live = byHelm?.live ?? { ...recorded!.release, recorded: true, changes: [] };
  // What is wanted is what was locked; without it, what Helm applied last.
  const manifest = isLocked || byHelm === undefined ? recorded!.manifest : byHelm.manifest;
  return { live, manifest };
}

/**
 * The revision that ciliumship rolled out, or went back to, to the end last; undefined when nobody wrote
 * it down, or without the right to read it.
 *
 * @throws ShipError as the cluster does otherwise
 */
export async function recordedRevision(
  cluster: Pick<Cluster, 'configMap'>,
  { name, namespace }: ReleaseName,
): Promise<number | undefined> {
  const data = await cluster.configMap(namespace, recordName(name)).catch(unlessForbidden);
  return data === undefined ? undefined : parseRecord(data)?.release.revision;
}

function unread(name: string, namespace: string): ShipError {
  return new ShipError(
    'identity',
    `nothing says what release ${name} is: no right to its Secrets`,
    {
      details: [`ConfigMap ${recordName(name)} in ${namespace} cannot be read or is not there`],
      hint: 'record it, with more rights: ciliumship deploy; then let drift read that: ciliumship drift rights kubernetes',
    },
  );
}

/** Undefined where it cannot be asked; a record says what it was after our own last rollout. */
async function askHelm(context: Context, access: ClusterAccess, locked: Locked | undefined) {
  try {
    return await readHelm(await helmOn(context, access), releaseOf(context), locked);
  } catch (error) {
    if (error instanceof ShipError && ['identity', 'usage'].includes(error.kind)) return undefined;
    throw error;
  }
}

async function readHelm(
  helm: Helm,
  release: { readonly name: string; readonly namespace: string },
  locked: Locked | undefined,
): Promise<KeptRelease | 'none'> {
  const [status, manifest = '', values] = await Promise.all([
    helm.status(release),
    helm.manifest(release),
    helm.values(release),
  ]);
  if (status === undefined) return 'none';
  const { revision, updated } = status;
  const digests = { values: valuesDigest(values), manifest: manifestDigest(manifest) };
  const differs = locked !== undefined && locked.values !== digests.values;
  const before = differs ? await helm.values(release, locked.revision).catch(() => undefined) : {};
  const known = differs && valuesDigest(before) === locked.values;
  return {
    live: {
      revision,
      ...digests,
      ...(updated ? { since: updated.replace(/\.\d+/, '') } : {}),
      changes: known ? valueChanges(treeOf(before), treeOf(values)) : [],
    },
    manifest,
  };
}

function treeOf(values: unknown): Values {
  return isTree(values) ? values : {};
}
