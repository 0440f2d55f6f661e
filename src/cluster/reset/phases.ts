import { cniFiles } from './cni-files.ts';
import { interfaces } from './interfaces.ts';
import { k3sFiles, mounts, survivors, uninstall, units } from './k3s.ts';
import type { Phase } from './phase.ts';
import { programs, shadows } from './programs.ts';
import { rules } from './rules.ts';

/** Everything of K3s and of CNIs, in the order in which nothing comes back and nobody is cut off. */
export const RESET: readonly Phase[] = [
  units,
  survivors,
  mounts,
  shadows,
  programs,
  interfaces,
  uninstall,
  k3sFiles,
  cniFiles,
  rules,
];

/** K3s alone, on a node that no CNI is on. */
export const UNINSTALL: readonly Phase[] = [units, survivors, mounts, uninstall, k3sFiles];

/** CNIs alone, with K3s left as it is. */
export const CNI: readonly Phase[] = [shadows, programs, interfaces, cniFiles, rules];
