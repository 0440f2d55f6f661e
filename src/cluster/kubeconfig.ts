import { parseDocument, type Document } from 'yaml';
import { ShipError } from '../core/errors.ts';
import { parseNodeKubeconfig } from '../facts/node-kubeconfig.ts';

/** How a cluster is called in a kubeconfig, and where it is reached. */
export interface ClusterName {
  readonly context: string;
  /** `https://10.4.100.1:6443`. */
  readonly server: string;
}

const EMPTY = 'apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n';

/**
 * A kubeconfig with one more cluster; all else in it stays as it was written, comments too. The
 * context becomes the current one only where none was.
 *
 * @param text the user's own; undefined when there is none
 * @param k3s what K3s wrote for its admin
 * @throws ShipError `config` when either is none, or the name is another cluster's already
 */
export function mergeKubeconfig(
  text: string | undefined,
  k3s: string,
  { context, server }: ClusterName,
): string {
  const document = parseDocument(text?.trim() ? text : EMPTY);
  if (document.errors.length > 0) throw unreadable('your kubeconfig', document.errors[0]);
  const { authority, user } = adminOf(k3s);
  const known: unknown = get(document, 'clusters', context, ['cluster', AUTHORITY]);
  if (known !== undefined && known !== authority) throw taken(context);
  put(document, 'clusters', context, { cluster: { [AUTHORITY]: authority, server } });
  put(document, 'users', context, { user });
  put(document, 'contexts', context, { context: { cluster: context, user: context } });
  if (!document.get('current-context')) document.set('current-context', context);
  return document.toString({ lineWidth: 0 });
}

type List = 'clusters' | 'users' | 'contexts';
const AUTHORITY = 'certificate-authority-data';

function adminOf(k3s: string) {
  const found = parseNodeKubeconfig(k3s);
  const authority = found?.clusters[0]?.cluster[AUTHORITY];
  const user = found?.users[0]?.user;
  if (authority !== undefined && user !== undefined) return { authority, user };
  throw unreadable('/etc/rancher/k3s/k3s.yaml of the server', undefined);
}

function get(document: Document, list: List, name: string, path: readonly string[]): unknown {
  const index = indexOf(document, list, name);
  if (index === -1) return undefined;
  // Of a cluster that names its authority by a file it is not this one either.
  return document.getIn([list, index, ...path]) ?? null;
}

function put(document: Document, list: List, name: string, value: object): void {
  const index = indexOf(document, list, name);
  const entry = document.createNode({ name, ...value });
  if (index !== -1) document.setIn([list, index], entry);
  else if (document.getIn([list, 0]) === undefined)
    document.set(list, document.createNode([entry]));
  else document.addIn([list], entry);
}

function indexOf(document: Document, list: List, name: string): number {
  for (let index = 0; document.hasIn([list, index]); index += 1) {
    if (document.getIn([list, index, 'name']) === name) return index;
  }
  return -1;
}

function unreadable(what: string, cause: unknown): ShipError {
  return new ShipError('config', `${what} is no kubeconfig`, {
    cause,
    hint: 'name another file: ciliumship k3s kubeconfig --kubeconfig FILE',
  });
}

function taken(context: string): ShipError {
  return new ShipError('config', `the name ${context} is another cluster’s in your kubeconfig`, {
    hint: 'give this one another: ciliumship k3s kubeconfig --context NAME',
  });
}
