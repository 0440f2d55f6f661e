import type {
  V1ContainerStatus,
  V1DaemonSet,
  V1Deployment,
  V1Node,
  V1Pod,
} from '@kubernetes/client-node';
import { isDigest, type Digest } from '../../core/digest.ts';

/** What the API server's objects say, in the words of deploying. */

export function toNode(node: V1Node) {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    name: node.metadata?.name ?? '',
    labels: node.metadata?.labels ?? {},
    podCidrs: node.spec?.podCIDRs ?? [],
    taints: (node.spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value, effect })),
    ready: ready?.status === 'True',
    bootId: node.status?.nodeInfo?.bootID ?? '',
    machineId: node.status?.nodeInfo?.machineID ?? '',
  };
}

export function toPod(pod: V1Pod) {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  const images = new Map(
    [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map((container) => [
      container.name,
      container.image ?? '',
    ]),
  );
  const container = (status: V1ContainerStatus) => toContainer(status, images.get(status.name));
  return {
    name: pod.metadata?.name ?? '',
    uid: pod.metadata?.uid ?? '',
    node: pod.spec?.nodeName,
    address: pod.status?.podIP,
    labels: pod.metadata?.labels ?? {},
    annotations: pod.metadata?.annotations ?? {},
    ready: ready?.status === 'True',
    started: timeOf(pod.status?.startTime),
    deleting: pod.metadata?.deletionTimestamp !== undefined,
    containers: (pod.status?.containerStatuses ?? []).map(container),
    initContainers: (pod.status?.initContainerStatuses ?? []).map(container),
  };
}

function toContainer(status: V1ContainerStatus, image: string | undefined) {
  const waiting = status.state?.waiting;
  return {
    name: status.name,
    image: image ?? status.image,
    imageId: imageDigest(status.imageID),
    byManifest: status.imageID.includes('@'),
    restarts: status.restartCount,
    // A pod that only begins waits too; that is no reason for anything.
    waiting: isPassing(waiting?.reason) ? undefined : waiting?.reason,
  };
}

function timeOf(time: Date | string | undefined): string | undefined {
  return time instanceof Date ? time.toISOString().replace(/\.\d+Z$/, 'Z') : time;
}

function isPassing(reason: string | undefined): boolean {
  return reason === undefined || reason === 'PodInitializing' || reason === 'ContainerCreating';
}

/** `sha256:…`, or the same behind `docker.io/library/import@` or a scheme. */
function imageDigest(text: string): Digest | undefined {
  const digest = /sha256:[0-9a-f]{64}$/.exec(text)?.[0] ?? '';
  return isDigest(digest) ? digest : undefined;
}

export function toDaemonSet(set: V1DaemonSet) {
  return {
    kind: 'DaemonSet' as const,
    name: set.metadata?.name ?? '',
    observed: (set.status?.observedGeneration ?? 0) >= (set.metadata?.generation ?? 0),
    desired: set.status?.desiredNumberScheduled ?? 0,
    updated: set.status?.updatedNumberScheduled ?? 0,
    ready: set.status?.numberReady ?? 0,
  };
}

export function toDeployment(deployment: V1Deployment) {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = deployment.status ?? {};
  return {
    kind: 'Deployment' as const,
    name: deployment.metadata?.name ?? '',
    observed:
      (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0),
    desired: deployment.spec?.replicas ?? 1,
    updated: updatedReplicas,
    // The count of ready pods tells old and new not apart: every old one is taken for ready.
    ready: Math.max(0, readyReplicas - Math.max(0, replicas - updatedReplicas)),
  };
}
