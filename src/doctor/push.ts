import { isBuildOf } from '../core/image.ts';
import { qualified } from '../facts/node-store.ts';
import { yours, type Fix } from './problem.ts';

/** Images of the config, brought to one node again: only what is missing travels. */
export function pushTo(node: string): Fix {
  return yours({
    argv: ['ciliumship', 'push', '--no-build', '--nodes', node],
    effect: 'sends what the node lacks, proves it and pins it; pods that wait start by themselves',
  });
}

/** Whether a name is among those that the CRI lists, which writes references in full. */
export function isListed(listed: readonly string[], name: string): boolean {
  return listed.includes(qualified(name));
}

/** True for one of our images under its own or its digest name (`TAG-<12 hex>`). */
export function isOurs(images: readonly string[], reference: string): boolean {
  return images.map(qualified).some((own) => isBuildOf(qualified(reference), own));
}
