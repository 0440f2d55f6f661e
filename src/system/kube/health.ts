import {
  ApiregistrationV1Api,
  CoreV1Api,
  type KubeConfig,
  type V1APIService,
  type V1Namespace,
} from '@kubernetes/client-node';
import type { Asker } from './errors.ts';

/** What a cluster says of its namespaces, and of the APIs that others answer for. */
export function clusterHealth(config: KubeConfig, { demand }: Asker) {
  const core = config.makeApiClient(CoreV1Api);
  const registration = config.makeApiClient(ApiregistrationV1Api);
  return {
    namespaces: async () =>
      (await demand('list namespaces', core.listNamespace())).items.map(toNamespace),
    apiServices: async () =>
      (await demand('list API services', registration.listAPIService())).items.map(toApiService),
  };
}

export function toNamespace({ metadata, status }: V1Namespace) {
  const open = (status?.conditions ?? []).filter((condition) => condition.status === 'True');
  return {
    name: metadata?.name ?? '',
    terminating: status?.phase === 'Terminating',
    stuck: open.map(({ message, type }) => message || type).join('; '),
  };
}

export function toApiService({ metadata, status }: V1APIService) {
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  return {
    name: metadata?.name ?? '',
    available: available?.status === 'True',
    reason: available?.reason ?? 'not asked yet',
  };
}
