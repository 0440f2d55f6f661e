import { z } from 'zod';
import { ShipError } from '../../core/errors.ts';
import type { Node } from '../../core/node.ts';
import { dataAddress } from '../../facts/node-facts.ts';
import { mapContainers, type KubeObject } from './manifest.ts';

const NET_CONF = 'net-conf.json';
const CONTAINER = 'kube-flannel';

/**
 * The manifest of Flannel for this cluster. As it comes, flanneld ends with `subnet "10.244.0.0/16"
 * … doesn't contain "10.42.0.0/24" PodCIDR`, and takes the interface of the default route.
 *
 * @throws ShipError `config` when it is not that of Flannel
 */
export function fitFlannel(
  objects: readonly KubeObject[],
  podNetwork: string,
  nodes: readonly Node[],
): readonly KubeObject[] {
  const interfaces = interfacesOf(nodes).map((name) => `--iface=${name}`);
  let networks = 0;
  let daemons = 0;
  const fitted = objects.map((each) => {
    const changed = setNetwork(each, podNetwork);
    networks += changed === each ? 0 : 1;
    return mapContainers(changed, (container) => {
      if (container.name !== CONTAINER) return container;
      daemons += 1;
      const others = (container.args ?? []).filter((word) => !word.startsWith('--iface'));
      return { ...container, args: [...others, ...interfaces] };
    });
  });
  if (networks === 1 && daemons === 1) return fitted;
  throw new ShipError('config', 'cni.flannel.manifest is not the manifest of Flannel', {
    details: [`${networks} ConfigMaps with ${NET_CONF}, ${daemons} containers ${CONTAINER}`],
    hint: 'take kube-flannel.yml of a release of Flannel',
  });
}

/**
 * One DaemonSet serves nodes whose interfaces have different names: flanneld takes the first that
 * it finds, and an address is found on its own node only.
 */
function interfacesOf(nodes: readonly Node[]): readonly string[] {
  return [
    ...nodes.flatMap((node) => dataAddress(node) ?? []),
    ...nodes.flatMap((node) => (node.dataAddress === undefined ? (node.dataInterface ?? []) : [])),
  ];
}

const config = z.looseObject({ [NET_CONF]: z.string() });

function setNetwork(object: KubeObject, network: string): KubeObject {
  if (object.kind !== 'ConfigMap') return object;
  const data = config.safeParse(object['data']);
  if (!data.success) return object;
  return {
    ...object,
    data: { ...data.data, [NET_CONF]: withNetwork(data.data[NET_CONF], network) },
  };
}

function withNetwork(text: string, network: string): string {
  try {
    const settings = z.looseObject({}).parse(JSON.parse(text));
    return `${JSON.stringify({ ...settings, Network: network }, undefined, 2)}\n`;
  } catch (cause) {
    throw new ShipError('config', `cni.flannel.manifest: ${NET_CONF} is not JSON`, { cause });
  }
}
