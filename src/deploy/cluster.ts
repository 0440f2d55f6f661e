import type { Digest } from '../core/digest.ts';
import type { ManifestObject } from '../facts/manifest-object.ts';
import type { Leases } from './lease.ts';

/** What deploying needs to know of the cluster, and the few things that it changes itself. */

export interface Taint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

export interface ClusterNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Of the kernel's boot and of the machine; empty when the kubelet does not say. */
  readonly bootId: string;
  readonly machineId: string;
  readonly ready: boolean;
  /** Networks that the cluster gave its pods. */
  readonly podCidrs?: readonly string[];
}

export interface PodContainer {
  readonly name: string;
  /** Reference in the pod's spec. */
  readonly image: string;
  /** Config digest of what runs; undefined while nothing does. */
  readonly imageId: Digest | undefined;
  /** The runtime named a manifest, and `imageId` is its digest. */
  readonly byManifest?: boolean | undefined;
  readonly restarts: number;
  /** Why it does not run: `CrashLoopBackOff`, `ErrImageNeverPull`, … */
  readonly waiting?: string | undefined;
}

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly node: string | undefined;
  /** Once it has one. */
  readonly address?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ready: boolean;
  /** When the kubelet saw it first. */
  readonly started?: string | undefined;
  readonly deleting: boolean;
  readonly containers: readonly PodContainer[];
  /** Init containers that already ran, in order. */
  readonly initContainers: readonly PodContainer[];
}

/** A pod that cannot begin because it gets no network. */
export interface StuckPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string | undefined;
  /** What the kubelet says. */
  readonly why: string;
}

/** A DaemonSet or Deployment and how far its controller has come. */
export interface Workload {
  readonly kind: 'DaemonSet' | 'Deployment';
  readonly name: string;
  /** The controller has seen the newest spec. */
  readonly observed: boolean;
  /** Pods that should run, and those of them that are new and ready. */
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
}

/** Adds labels; `null` takes one away. */
export type LabelChange = Readonly<Record<string, string | null>>;

export type NodeConfigVersion = 'v2' | 'v2alpha1';

export interface NodeConfigObject {
  readonly name: string;
  readonly profile: string;
  /** Keys of cilium-config that differ on the nodes of this profile. */
  readonly defaults: Readonly<Record<string, string>>;
}

/** A CiliumNodeConfig of the cluster; `ours` when ciliumship applied it. */
export interface FoundNodeConfig extends NodeConfigObject {
  readonly ours: boolean;
}

export interface Cluster {
  readonly leases: Leases;
  nodes(): Promise<readonly ClusterNode[]>;
  labelNode(name: string, labels: LabelChange): Promise<void>;
  /** Pods of a namespace by label selector; not those that have ended. */
  pods(namespace: string, selector: string): Promise<readonly Pod[]>;
  /** Pods of any namespace whose sandbox the kubelet failed to make. */
  stuckPods(): Promise<readonly StuckPod[]>;
  /** Deletes exactly this pod: another one of the same name is left alone. */
  deletePod(namespace: string, pod: Pod): Promise<void>;
  annotatePod(
    namespace: string,
    pod: Pod,
    annotations: Readonly<Record<string, string>>,
  ): Promise<void>;
  workload(namespace: string, kind: Workload['kind'], name: string): Promise<Workload | undefined>;
  /** Label `controller-revision-hash` of the newest template of a DaemonSet. */
  currentHash(namespace: string, daemonSet: string): Promise<string | undefined>;
  /** Data of a ConfigMap, or undefined when there is none. */
  configMap(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Makes a ConfigMap, or replaces the data of it that are ours. */
  applyConfigMap(
    namespace: string,
    name: string,
    data: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** The version of CiliumNodeConfig that is served, once its CRD is. */
  nodeConfigVersion(): Promise<NodeConfigVersion | undefined>;
  nodeConfigs(namespace: string, version: NodeConfigVersion): Promise<readonly FoundNodeConfig[]>;
  applyNodeConfig(
    namespace: string,
    version: NodeConfigVersion,
    config: NodeConfigObject,
  ): Promise<void>;
  deleteNodeConfig(namespace: string, version: NodeConfigVersion, name: string): Promise<void>;
  /** The objects of a manifest, each as the cluster has it; its Secrets only when they are asked for. */
  objects(
    namespace: string,
    manifest: string,
    withSecrets?: boolean,
  ): Promise<readonly ManifestObject[]>;
  /** Fields of a manifest at which Helm would stop that applies it on the server; changes nothing. */
  conflicts(namespace: string, manifest: string): Promise<readonly FieldConflict[]>;
  /** Runs a command in a container and returns what it printed. */
  exec(namespace: string, pod: Pod, container: string, command: readonly string[]): Promise<string>;
  /** Last lines that a container wrote; of its previous life when it crashed. */
  logs(namespace: string, pod: Pod, container: string): Promise<readonly string[]>;
  /** Everything that says why a pod does not work: name of a file → text. */
  evidence(namespace: string, pod: Pod): Promise<ReadonlyMap<string, string>>;
}

/** A field that somebody else than Helm set, to something else than Helm would. */
export interface FieldConflict {
  /** `ConfigMap cilium-config`. */
  readonly object: string;
  /** `data.mtu`. */
  readonly field: string;
  /** Whoever set it signed so: `kubectl-edit`. */
  readonly manager: string;
}

/** What deploying needs of Helm. */
export interface Helm {
  /** `3.21.4`. */
  readonly version: string;
  /** The manifest that an upgrade would apply, rendered against the cluster; changes nothing. */
  render(release: HelmRelease): Promise<string>;
  /** The manifest of a revision, the newest if none is given; undefined when there is none. */
  manifest(release: ReleaseName, revision?: number): Promise<string | undefined>;
  /** The values that a revision was made with, the newest if none is given. */
  values(release: ReleaseName, revision?: number): Promise<unknown>;
  /** Installs or upgrades without waiting; returns the new revision. */
  upgrade(release: HelmRelease, description: string): Promise<number>;
  /** The newest revision, or undefined before the first install. */
  status(release: ReleaseName): Promise<HelmStatus | undefined>;
  /** The newest revisions, oldest first; none before the first install. */
  history(release: ReleaseName): Promise<readonly HelmStatus[]>;
  /** Applies what an earlier revision applied, without waiting, as a new revision. */
  rollback(release: ReleaseName, revision: number): Promise<void>;
  /** True when Helm applies on the server, where a field that was set by hand is a conflict (Helm 4). */
  appliesOnServer(release: ReleaseName): Promise<boolean>;
  /** Removes everything that the release made. */
  uninstall(release: ReleaseName): Promise<void>;
}

export interface ReleaseName {
  readonly name: string;
  readonly namespace: string;
}

export interface HelmRelease extends ReleaseName {
  readonly chart: string;
  /** Values files, the later ones winning. */
  readonly values: readonly string[];
  /** Milliseconds that Helm itself waits for everything; without it it does not wait. */
  readonly wait?: number | undefined;
  /** Drop no revision, however many there are: one of them is gone back to next. */
  readonly keepHistory?: boolean | undefined;
  /** Take back fields that somebody set by hand; only for Helm that applies on the server. */
  readonly forceConflicts?: boolean | undefined;
}

export interface HelmStatus {
  readonly revision: number;
  readonly status: string;
  readonly description: string;
  /** When it was made. */
  readonly updated?: string | undefined;
}
