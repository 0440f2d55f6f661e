import type { Cluster } from '../../deploy/cluster.ts';
import {
  changedNodeConfigs,
  foundNodeConfigs,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import type { NodesBefore } from '../../deploy/node-record.ts';
import { labelStep, nodeConfigStep } from '../../deploy/steps.ts';
import { runStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { acting } from './stages.ts';
import { timeoutOf } from './timeout.ts';

/** A cluster, and where its CiliumNodeConfigs are. */
export interface Place {
  readonly cluster: Cluster;
  readonly namespace: string;
}

/**
 * Gives nodes back the labels and devices that they had.
 *
 * @param keys of the labels
 * @throws ShipError `deploy`, `network`
 */
export async function restoreNodes(
  context: Context,
  place: Place,
  had: NodesBefore,
  keys: readonly string[],
): Promise<void> {
  await restoreLabels(context, place, had, keys);
  await restoreDevices(context, place, had);
}

async function restoreLabels(
  context: Context,
  { cluster }: Place,
  { nodes }: NodesBefore,
  keys: readonly string[],
): Promise<void> {
  const now = await cluster.nodes();
  const steps = nodes.flatMap((node) => {
    const has = now.find(({ name }) => name === node.name)?.labels;
    const changed = keys.filter((key) => has?.[key] !== node.labels[key]);
    const had = changed.map((key) => [key, node.labels[key] ?? null] as const);
    return had.length === 0 ? [] : [labelStep(node, Object.fromEntries(had), cluster)];
  });
  await runStage('Label', steps, acting(context));
}

async function restoreDevices(
  context: Context,
  { cluster, namespace }: Place,
  { configs }: NodesBefore,
): Promise<void> {
  const now = await foundNodeConfigs(cluster, namespace);
  const change = changedNodeConfigs(configs, now);
  const remove = unwantedNodeConfigs(configs, now);
  if (change.length + remove.length === 0) return;
  const devices = nodeConfigStep(cluster, namespace, configs, timeoutOf(context), remove);
  await runStage('Devices', [devices], acting(context));
}
