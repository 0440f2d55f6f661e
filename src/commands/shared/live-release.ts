import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type Digest } from '../../core/digest.ts';
import { toShipError } from '../../core/errors.ts';
import type { History } from '../../deploy/history.ts';
import {
  manifestDigest,
  recordData,
  recordName,
  valuesDigest,
  type ReleaseRecord,
} from '../../drift/record.ts';
import type { Context } from '../command.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import { recordNodes } from './node-record.ts';

/** What a release is now, in digests and whole. */
export interface AppliedRelease {
  readonly release: Omit<ReleaseRecord, 'version'>;
  readonly manifest: string;
  readonly history: History;
}

/** The live release, as Helm keeps it; undefined before a first install. Throws as `helmOn`. */
export async function readRelease(
  context: Context,
  access: ClusterAccess,
): Promise<AppliedRelease | undefined> {
  const helm = await helmOn(context, access);
  const name = releaseOf(context);
  const [history, manifest = '', values] = await Promise.all([
    helm.history(name),
    helm.manifest(name),
    helm.values(name),
  ]);
  const status = history.at(-1);
  if (status === undefined) return undefined;
  const release = {
    revision: status.revision,
    values: valuesDigest(values),
    manifest: manifestDigest(manifest),
  };
  return { release, manifest, history };
}

/**
 * As `recordRelease`, of what the release is now. A rollout has ended well by then: what cannot be
 * read or written is said and no more.
 */
export async function recordLive(context: Context, access: ClusterAccess): Promise<void> {
  try {
    const live = await readRelease(context, access);
    if (live !== undefined) await recordRelease(context, access, live);
  } catch (error) {
    noteUnrecorded(context, error);
  }
}

/**
 * Writes what was rolled out into a ConfigMap, so that drift needs no right to Secrets, and what nodes
 * are told beside it into another, for a rollback. Without the right to write them the rollout is none
 * the worse.
 */
export async function recordRelease(
  context: Context,
  { cluster }: ClusterAccess,
  { release, manifest, history }: AppliedRelease,
): Promise<void> {
  const { name, namespace } = releaseOf(context);
  const data = recordData(release, manifest);
  try {
    const found = await cluster.configMap(namespace, recordName(name));
    const same = Object.entries(data).every(([key, value]) => found?.[key] === value);
    if (!same) await cluster.applyConfigMap(namespace, recordName(name), data);
    await recordNodes(cluster, { name, namespace }, history);
  } catch (error) {
    noteUnrecorded(context, error);
  }
}

function noteUnrecorded({ output, signal }: Context, error: unknown): void {
  signal.throwIfAborted();
  const why = toShipError(error).message;
  output.note(`what was rolled out could not be recorded in the cluster: ${why}`);
}

/** One digest over every file of a chart's folder, by name; of its name when it is no folder. */
export async function chartDigest(chart: string): Promise<Digest> {
  const entries = await readdir(chart, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  if (files.length === 0) return digestOf(chart);
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  const lines = paths.map(
    async (path) => `${path.slice(chart.length)} ${digestOf(await readFile(path))}`,
  );
  return digestOf((await Promise.all(lines)).join('\n'));
}
