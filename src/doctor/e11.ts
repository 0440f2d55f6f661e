import { found, ok, onSettings, type Problem } from './problem.ts';
import { cidrsIn, setAndDeploy } from './settings.ts';

export const e11: Problem = {
  id: 'E11',
  title: 'devices are given by network, which matches nothing',
  patterns: [/--devices.*\d+\.\d+\.\d+\.\d+\/\d+/i, /devices.*cidr/i],
  document:
    'A CIDR matches only when the interface has its address at the moment the pod starts, which fails after a reboot.',
  known:
    'A CIDR never matches: `devices` takes names only (E10). Networks belong to `nodePort.addresses`. What looked like a matter of timing was Cilium’s own detection of devices, or its absence.',
  recognised: 'a CIDR among the devices of values or cilium-config',
  example: setAndDeploy('devices', 'eth0'),
  look: onSettings((view) => {
    const cidrs = cidrsIn(view);
    if (cidrs.length === 0) return ok('no network among the devices');
    return found(`devices: ${cidrs.join(' ')}`, setAndDeploy('devices', 'names of interfaces'));
  }),
};
