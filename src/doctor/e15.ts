import { hasNativeXdp } from '../facts/drivers.ts';
import { devicesOf, found, ok, onNodes, unknown, yours, type Problem } from './problem.ts';

function rename(node: string) {
  return yours({
    argv: ['ciliumship', 'deploy'],
    effect: `once nodes.${node}.devices names an interface whose driver has native XDP, or the values say loadBalancer.acceleration: best-effort`,
  });
}

export const e15: Problem = {
  id: 'E15',
  title: 'Cilium is told to use an interface whose driver has no native XDP',
  patterns: [
    /underlying driver does not support xdp in native mode/i,
    /xdp.*operation not supported/i,
    /\btg3\b/i,
  ],
  document:
    'XDP on a Broadcom card (tg3), picked by accident, locks the kernel up at once. Never name such an interface; look at `ethtool -i` first.',
  known:
    'tg3 answers the attempt with EOPNOTSUPP, and with `native` the agent ends and starts again for ever; a lock-up of the kernel could not be confirmed. `devices` left empty takes every interface with an address and a route, the management one too. Name the devices, or use `best-effort`. doctor and harden never act on the interface that carries our own SSH session.',
  recognised: 'the driver of a device (ethtool -i) is not in the list of drivers with native XDP',
  example: rename('worker'),
  look: onNodes((view, { cluster, value }) => {
    const { machine, node } = view;
    const mode = cluster?.config?.['bpf-lb-acceleration'] ?? value?.('loadBalancer.acceleration');
    if (mode !== undefined && mode !== 'native')
      return ok(`XDP is not required (${mode || 'disabled'})`);
    const wanted = devicesOf(view);
    if (wanted.length === 0) return unknown('the config names no devices for it');
    const drivers = wanted.map((device) => [device, machine.drivers.get(device)] as const);
    const bad = drivers.filter(([, driver]) => driver && !hasNativeXdp(driver, machine.os.kernel));
    if (bad.length > 0) return found(bad.map(words).join(', '), rename(node.name));
    const silent = drivers.filter(([, driver]) => driver === undefined);
    return silent.length > 0
      ? unknown(`the driver of ${silent.map(([device]) => device).join(', ')} is not known`)
      : ok(drivers.map(words).join(', '));
  }),
};

function words([device, driver]: readonly [string, string | undefined]): string {
  return `${device} is ${driver ?? '?'}`;
}
