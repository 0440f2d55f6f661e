import { ShipError, unlessForbidden } from '../../core/errors.ts';
import type { Cluster, HelmStatus, ReleaseName } from '../../deploy/cluster.ts';
import { isToGoBackTo, repeatedOverUnfinished, type History } from '../../deploy/history.ts';
import {
  nodeRecordName,
  nodeSettings,
  settingsAt,
  withSettings,
  type NodeSettings,
} from '../../deploy/node-record.ts';
import type { Context } from '../command.ts';
import { readToldNodes } from './told-nodes.ts';

type RecordingCluster = Pick<
  Cluster,
  'nodes' | 'nodeConfigVersion' | 'nodeConfigs' | 'configMap' | 'applyConfigMap'
>;

/**
 * Writes down what the nodes are told beside the newest revision, unless that is known or the revision
 * is not finished, so that a later rollback can give it back.
 *
 * @throws ShipError `network`; `identity` without the right to it
 */
export async function recordNodes(
  cluster: RecordingCluster,
  { name, namespace }: ReleaseName,
  history: History,
): Promise<void> {
  const newest = history.at(-1);
  if (newest === undefined || !isToGoBackTo(history, newest)) return;
  const data = await cluster.configMap(namespace, nodeRecordName(name));
  // What was written stays as it is: a rollback that was killed may have changed nodes since.
  if (settingsAt(data, newest) !== undefined) return;
  const repeated = repeatedOverUnfinished(history);
  const told = (repeated && settingsAt(data, repeated)) ?? (await readSettings(cluster, namespace));
  const written = withSettings(data, newest, told);
  await cluster.applyConfigMap(namespace, nodeRecordName(name), written);
}

/** As `recordNodes`, before something is changed: without the right to it that is none the worse. */
export async function recordNodesBefore(
  { output }: Context,
  cluster: RecordingCluster,
  release: ReleaseName,
  history: History,
): Promise<void> {
  try {
    await recordNodes(cluster, release, history);
  } catch (error) {
    if (!(error instanceof ShipError) || error.kind !== 'identity') throw error;
    output.note(`no rollback will know the devices of the nodes: ${error.message}`);
  }
}

/**
 * What the nodes were told at a revision; undefined when nobody wrote it down, or without the right to
 * read it.
 *
 * @throws ShipError as the cluster does otherwise
 */
export async function recordedAt(
  cluster: Pick<Cluster, 'configMap'>,
  { name, namespace }: ReleaseName,
  entry: HelmStatus,
): Promise<NodeSettings | undefined> {
  const data = await cluster.configMap(namespace, nodeRecordName(name)).catch(unlessForbidden);
  return settingsAt(data, entry);
}

/** What the nodes are told now, and what is known of earlier revisions. */
export interface KnownSettings {
  readonly now: NodeSettings;
  readonly at: (entry: HelmStatus) => NodeSettings | undefined;
}

/** @throws ShipError as the cluster does */
export async function readKnownSettings(
  cluster: RecordingCluster,
  { name, namespace }: ReleaseName,
): Promise<KnownSettings> {
  const [data, now] = await Promise.all([
    cluster.configMap(namespace, nodeRecordName(name)),
    readSettings(cluster, namespace),
  ]);
  return { now, at: (entry) => settingsAt(data, entry) };
}

async function readSettings(cluster: RecordingCluster, namespace: string): Promise<NodeSettings> {
  const { nodes, configs } = await readToldNodes(cluster, namespace);
  return nodeSettings(nodes, configs);
}
