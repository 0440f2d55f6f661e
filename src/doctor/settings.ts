import { yours, type Fix } from './problem.ts';
import type { View } from './view.ts';

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const CIDR = /^[0-9a-f:.]+\/\d{1,3}$/i;

/** Sets a value and rolls it out, which only its owner can decide. */
export function setAndDeploy(key: string, value: string): Fix {
  return yours({
    argv: ['ciliumship', 'deploy'],
    effect: `once your values file says ${key}: ${value}; agents restart one at a time`,
    undo: 'ciliumship deploy with the old value',
  });
}

/** What is set as `devices`: by the user, and in what agents were given. */
export function deviceWords({ value, cluster }: View): readonly string[] {
  const set = `${value?.('devices') ?? ''} ${cluster?.config?.['devices'] ?? ''}`;
  return set.split(/[\s,]+/).filter((word) => word !== '');
}

export const macsIn = (view: View): readonly string[] =>
  deviceWords(view).filter((word) => MAC.test(word));

export const cidrsIn = (view: View): readonly string[] =>
  deviceWords(view).filter((word) => CIDR.test(word));

/** What a setting is by its Helm value, and by its key in cilium-config; what is not set is left out. */
export function settingsOf({ value, cluster }: View, path: string, key: string): readonly string[] {
  return [value?.(path) ?? '', cluster?.config?.[key] ?? ''].filter((text) => text !== '');
}
