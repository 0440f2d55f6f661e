import { found, ok, onCluster, unknown, yours, type Problem } from './problem.ts';
import { isOurs } from './push.ts';

const DEPLOY = yours({
  argv: ['ciliumship', 'deploy'],
  effect: 'sets both overrides to what was built; the operator is replaced first',
});

export const k4: Problem = {
  id: 'K4',
  title: 'the operator is not the one that was built',
  patterns: [/operator.*upstream/i, /operator\.image\.override/i, /operator-generic:v1/i],
  document:
    'Without operator.image.override the operator is pulled from upstream, without the patches.',
  known:
    'Right; ciliumship sets both overrides itself. Two more images come from upstream in the same way: cilium-envoy, a DaemonSet of its own since 1.16, and hubble-relay, which a development tree takes from a moving `-ci` tag. A crash of an older operator under a newer chart is E13.',
  recognised: 'an operator’s image is none of those that the config builds',
  example: DEPLOY,
  look: onCluster(({ pods }, { images }) => {
    const operators = pods.filter(({ labels }) => labels['io.cilium/app'] === 'operator');
    if (operators.length === 0) return unknown('there is no operator');
    if (!images.some((name) => /operator/.test(name))) return ok('the config builds no operator');
    const strange = operators.flatMap(({ containers }) =>
      containers.map(({ image }) => image).filter((image) => !isOurs(images, image)),
    );
    return strange.length === 0 ? ok('it is ours') : found(strange.join(', '), DEPLOY);
  }),
};
