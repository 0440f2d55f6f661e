import type { Link } from '../facts/links.ts';
import { devicesOf, found, ok, onNodes, unknown, yours, type Problem } from './problem.ts';

function look(node: string, device: string) {
  return yours({
    argv: ['ip', '-br', 'link', 'show', device],
    effect: `on ${node}; plug the cable in, or take ${device} out of nodes.${node}.devices and deploy`,
  });
}

export const e6: Problem = {
  id: 'E6',
  title: 'a device that Cilium is told to use has no carrier',
  patterns: [
    /no-carrier/i,
    /attaching xdp program to interface/i,
    /failed to compile xdp program/i,
  ],
  document:
    'A second port without a cable in `devices` makes the agent crash. Give each node its own devices by a CiliumNodeConfig.',
  known:
    'Left to itself Cilium takes only interfaces that are up, addressed and routed; a list of names goes past these checks. With `native` any failure to attach ends the agent, with `best-effort` it is logged and passed over. The crash on a port without carrier could not be confirmed, but such a port carries nothing. `nodes.NAME.devices` and `profile` in the config make the CiliumNodeConfigs.',
  recognised: 'an interface of `devices` or `dataInterface` is missing, down or without carrier',
  example: look('worker', 'eth1'),
  look: onNodes((view) => {
    const wanted = devicesOf(view);
    if (wanted.length === 0) return unknown('the config names no devices for it');
    const bad = wanted.flatMap((device) => {
      const link = view.machine.links.find(({ name }) => name === device);
      const state = trouble(link);
      return state === undefined ? [] : [{ device, state }];
    });
    const [first] = bad;
    if (first === undefined) return ok(`${wanted.join(', ')} up with carrier`);
    const proof = bad.map(({ device, state }) => `${device} ${state}`).join(', ');
    return found(proof, look(view.node.name, first.device));
  }),
};

function trouble(link: Link | undefined): string | undefined {
  if (link === undefined) return 'is not there';
  if (!link.up) return 'is down';
  return link.carrier ? undefined : 'has no carrier';
}
