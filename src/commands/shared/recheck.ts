import { kubernetesName } from '../../core/node.ts';
import type { Run } from '../../core/step.ts';
import { missingImages, requireNothingMissing, requireSameBytes } from '../../deploy/gate.ts';
import { probeImages } from '../../transfer/probe.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import type { Rollout } from './rollout.ts';

/**
 * The gate once more for one node, right before its agent is taken away: minutes have passed since
 * the whole fleet was asked, and a kubelet may have collected an image meanwhile (F35).
 *
 * @param name Kubernetes name of the node
 * @throws ShipError `storage` naming what is gone, `integrity` what has other bytes
 */
export async function requireImagesOn(
  name: string,
  { config }: Context,
  fleet: Fleet,
  { workloads, candidates, images }: Rollout,
  { signal, progress }: Run,
): Promise<void> {
  const node = config.nodes.find((known) => kubernetesName(known) === name);
  const session = fleet.sessions.get(node?.name ?? '');
  if (node === undefined || session === undefined) return;
  progress({ text: `look once more what ${node.name} has` });
  const stores = new Map([[node.name, await probeImages(session, signal)]]);
  requireSameBytes(images, stores);
  const here = candidates.filter((candidate) => candidate.name === name);
  requireNothingMissing(missingImages(workloads, here, [node], stores, config.deploy));
}
