import { found, ok, onSettings, type Problem } from './problem.ts';
import { macsIn, setAndDeploy } from './settings.ts';

export const e10: Problem = {
  id: 'E10',
  title: 'devices are given by MAC address, which matches nothing',
  patterns: [/--devices.*([0-9a-f]{2}:){5}/i, /devices.*mac address/i],
  document: 'MAC addresses are ignored silently; use names of interfaces, or CiliumNodeConfigs.',
  known:
    'Right, in every version: `devices` takes exact names, a prefix followed by `+`, and `!` in front to leave out. What matches nothing leaves no device, and status still shows the acceleration that was asked for: look at the interface (`ip link show`) instead.',
  recognised: 'a MAC address among the devices of values or cilium-config',
  example: setAndDeploy('devices', 'eth0'),
  look: onSettings((view) => {
    const macs = macsIn(view);
    if (macs.length === 0) return ok('no MAC address among the devices');
    return found(`devices: ${macs.join(' ')}`, setAndDeploy('devices', 'names of interfaces'));
  }),
};
