import { deadOf, removeApis } from './api-services.ts';
import { found, ok, onCluster, type Fix, type Problem } from './problem.ts';

/** Not `safe`, as for E7: one that is only starting is found here too. */
const confirmed = (names: readonly string[]): Fix => ({ ...removeApis(names), consent: 'confirm' });

export const n6: Problem = {
  id: 'N6',
  title: 'an API service answers nobody, and every deletion of a namespace will wait for it',
  patterns: [
    /the server is currently unable to handle the request/i,
    /couldn.t get resource list for/i,
    /v1beta1\.metrics\.k8s\.io/,
  ],
  known:
    'An API that another pod answers for is out of reach: its pod has no network, or is gone. kubectl is slow and complains, and no namespace can be deleted until it is back or its APIService is removed (E7). Before a CNI is uninstalled such APIs should go first. A metrics-server that is only starting is found here too: look again in a minute.',
  recognised: 'an APIService with a service behind it is not Available',
  example: confirmed(['v1beta1.metrics.k8s.io']),
  look: onCluster(({ apiServices }) => {
    const dead = deadOf(apiServices);
    if (dead.length === 0) return ok('every API service is available');
    const proof = dead.map(({ name, reason }) => `${name}: ${reason}`).join(', ');
    return found(proof, confirmed(dead.map(({ name }) => name)));
  }),
};
