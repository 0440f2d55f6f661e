import { found, ok, onSettings, type Problem } from './problem.ts';
import { setAndDeploy } from './settings.ts';

export const e17: Problem = {
  id: 'E17',
  title: 'the values still have the key tunnel',
  patterns: [/tunnel was deprecated in v1\.14 and has been removed in v1\.15/i],
  document: 'Use routingMode=native in place of tunnel=disabled since 1.15.',
  known:
    'Right. The chart itself refuses the key. `tunnel: vxlan` has become `routingMode: tunnel` with `tunnelProtocol: vxlan`.',
  recognised: 'the values have tunnel',
  example: setAndDeploy('routingMode', 'native'),
  look: onSettings(({ value }) => {
    const tunnel = value?.('tunnel') ?? '';
    if (tunnel === '') return ok('tunnel is not set');
    const mode = tunnel === 'disabled' ? 'native' : 'tunnel';
    return found(`tunnel: ${tunnel}`, setAndDeploy('routingMode', mode));
  }),
};
