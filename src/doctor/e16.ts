import { found, ok, onSettings, type Problem } from './problem.ts';
import { setAndDeploy, settingsOf } from './settings.ts';

const MODES = new Set(['disabled', 'native', 'best-effort', 'testing-only']);

export const e16: Problem = {
  id: 'E16',
  title: 'loadBalancer.acceleration has a value that agents refuse',
  patterns: [/invalid value for --(node-port|bpf-lb)-acceleration/i, /acceleration.*generic/i],
  document: 'Cilium 1.19 takes only native or disabled; generic ends the agent.',
  known:
    'The message is exact, the list is not complete: `disabled`, `native`, `best-effort` (since 1.15) and `testing-only`, which is what generic XDP is called. The chart’s schema takes any text; ciliumship refuses it before anything is deployed.',
  recognised: 'the value, or bpf-lb-acceleration of cilium-config, is none of these',
  example: setAndDeploy('loadBalancer.acceleration', 'native'),
  look: onSettings((view) => {
    const modes = settingsOf(view, 'loadBalancer.acceleration', 'bpf-lb-acceleration');
    const bad = modes.find((mode) => !MODES.has(mode));
    if (bad === undefined) return ok(modes[0] ?? 'not set: disabled');
    return found(bad, setAndDeploy('loadBalancer.acceleration', 'best-effort'));
  }),
};
