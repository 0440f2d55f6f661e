import type { Fix } from './problem.ts';
import type { ApiServiceView } from './view.ts';

/** Takes away APIs that nobody answers for; K3s applies its own again when it starts. */
export function removeApis(names: readonly string[]): Fix {
  return {
    consent: 'safe',
    actions: names.map((name) => ({
      argv: ['k3s', 'kubectl', 'delete', 'apiservice', '--ignore-not-found', name],
      effect: `the API server no longer asks ${name}; namespaces that wait for it end by themselves`,
      undo: 'apply it again; that of metrics-server comes back when K3s starts',
    })),
  };
}

export const deadOf = (services: readonly ApiServiceView[]): readonly ApiServiceView[] =>
  services.filter(({ available }) => !available);
