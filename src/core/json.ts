import type { z } from 'zod';

/** A text as what a schema describes; undefined when it is no JSON, or some other. */
export function readJson<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
