import type { Action } from '../../core/action.ts';
import { BPF_PATHS, CNI_PATHS } from '../../facts/remains-paths.ts';
import { removeExisting } from './remove.ts';
import type { Phase } from './phase.ts';

export const cniFiles: Phase = {
  title: 'files of CNIs',
  actions: (remains) => [
    ...remains.cniFiles.flatMap(configuration),
    ...removeExisting(remains.paths, [...CNI_PATHS, ...BPF_PATHS]),
    ...remains.maps.map((path) => ({
      argv: ['rm', '-f', '--', path] as const,
      effect: 'removes a map of Cilium',
    })),
  ],
};

const KNOWN_CNI = /cilium|flannel|antrea|k3s/;
const ASIDE = /\.cilium_bak$/;

/** Whether a file in /etc/cni/net.d is of a CNI that ciliumship knows. */
export function isCniFile(name: string): boolean {
  return KNOWN_CNI.test(name.replace(ASIDE, ''));
}

/** What Cilium put aside and is of no CNI that goes is given its name back. */
function configuration(name: string): readonly Action[] {
  const path = `/etc/cni/net.d/${name}`;
  const own = name.replace(ASIDE, '');
  if (isCniFile(name)) return [{ argv: ['rm', '-f', '--', path], effect: `removes ${path}` }];
  if (own === name) return [];
  const back = `/etc/cni/net.d/${own}`;
  return [{ argv: ['mv', '-f', '--', path, back], effect: `gives ${own} its name back` }];
}
