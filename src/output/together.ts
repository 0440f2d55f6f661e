import { allDrawn } from './list.ts';
import type { Output } from './output.ts';

type Promises<Parts extends readonly unknown[]> = {
  readonly [Part in keyof Parts]: Promise<Parts[Part]>;
};

/**
 * Waits for things that were started at once. Each comes to its end, whatever happens to the others.
 *
 * @throws what the first of them in order threw
 */
export async function allOf<Parts extends readonly unknown[]>(
  ...parts: Promises<Parts>
): Promise<Parts> {
  for (const ended of await Promise.allSettled(parts)) {
    if (ended.status === 'rejected') throw ended.reason;
  }
  return Promise.all(parts);
}

/** As `allOf`, for parts of a command: waits until the lists of their stages are drawn, too. */
export async function together<Parts extends readonly unknown[]>(
  output: Output,
  ...parts: Promises<Parts>
): Promise<Parts> {
  await Promise.allSettled(parts);
  await allDrawn(output);
  return allOf<Parts>(...parts);
}
