import type { Node } from '../core/node.ts';
import type { NodeHealth } from '../facts/node-health.ts';

/** A node that was looked at. */
export interface NodeView extends NodeHealth {
  readonly node: Node;
}

export interface PodView {
  readonly name: string;
  /** Kubernetes name of its node. */
  readonly node?: string | undefined;
  readonly ready: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly ContainerView[];
  readonly initContainers: readonly ContainerView[];
}

export interface ContainerView {
  readonly name: string;
  readonly image: string;
  /** Config digest of what runs; undefined while nothing does. */
  readonly imageId?: string | undefined;
  /** The runtime named a manifest, and `imageId` is its digest. */
  readonly byManifest?: boolean | undefined;
  /** Why it does not run. */
  readonly waiting?: string | undefined;
}

export interface NamespaceView {
  readonly name: string;
  readonly terminating: boolean;
  /** Why its deletion does not come to an end, in the words of the API server; empty when it says nothing. */
  readonly stuck: string;
}

/** An API that another server answers for. */
export interface ApiServiceView {
  readonly name: string;
  readonly available: boolean;
  readonly reason: string;
}

/** What doctor asks a cluster beyond what deploying does. */
export interface ClusterHealth {
  namespaces(): Promise<readonly NamespaceView[]>;
  apiServices(): Promise<readonly ApiServiceView[]>;
}

/** The cluster, where it could be asked. */
export interface ClusterView {
  readonly release: string;
  readonly namespace: string;
  /** Of the namespace of the release. */
  readonly pods: readonly PodView[];
  readonly namespaces: readonly NamespaceView[];
  readonly apiServices: readonly ApiServiceView[];
  /** Data of the ConfigMap `cilium-config`; undefined when there is none. */
  readonly config: Readonly<Record<string, string>> | undefined;
  /** The newest revisions of the release, oldest first; undefined without Helm. */
  readonly revisions: readonly Revision[] | undefined;
  /** Last lines of an operator that is not ready; undefined when nobody can read them. */
  readonly operatorLog: readonly string[] | undefined;
}

export interface Revision {
  readonly revision: number;
  readonly status: string;
}

/** Everything that was seen of nodes, cluster and configuration at one time. */
export interface View {
  readonly nodes: readonly NodeView[];
  /** Node → why it could not be looked at. */
  readonly unseen: ReadonlyMap<string, string>;
  readonly cluster: ClusterView | undefined;
  /** Text of one of the user's Helm values, empty when it is not set; undefined without a file. */
  readonly value: ((path: string) => string) | undefined;
  /** Names `REPO:TAG` of what the config builds and ships. */
  readonly images: readonly string[];
  /** Versions of the chart, and of the tree that the operator is built from. */
  readonly versions: { readonly chart?: string | undefined; readonly tree?: string | undefined };
  readonly now: Date;
}
