import { z } from 'zod';
import type { Remote } from '../core/remote.ts';
import { CNI_FOLDER } from './node-health.ts';

/** The configuration that containerd gives pods their network by. */
export interface CniConfig {
  /** Name in /etc/cni/net.d: of several, the one that sorts first. */
  readonly file: string;
  readonly name: string;
  /** Plugins in their order: `bridge`, `portmap`. */
  readonly plugins: readonly string[];
}

const config = z.looseObject({
  name: z.string().default(''),
  type: z.string().optional(),
  plugins: z.array(z.looseObject({ type: z.string().default('?') })).optional(),
});

/** Reads a `.conf` or `.conflist`; undefined when containerd could not read it either. */
export function parseCniConfig(file: string, text: string): CniConfig | undefined {
  try {
    const { name, type, plugins } = config.parse(JSON.parse(text));
    return { file, name, plugins: plugins?.map((plugin) => plugin.type) ?? (type ? [type] : []) };
  } catch {
    return undefined;
  }
}

/**
 * Asks a node by which configuration its pods get their network.
 *
 * @throws ShipError `identity`, `network`
 */
export async function readCniConfig(
  remote: Remote,
  signal: AbortSignal,
): Promise<CniConfig | undefined> {
  const options = { sudo: true, signal, accept: [1, 2] };
  const { stdout } = await remote.run(['ls', '-1', CNI_FOLDER], options);
  const files = stdout.split('\n').filter((name) => /\.(conf|conflist|json)$/.test(name));
  const first = files.toSorted()[0];
  if (first === undefined) return undefined;
  const text = await remote.run(['cat', `${CNI_FOLDER}/${first}`], options);
  return parseCniConfig(first, text.stdout) ?? { file: first, name: '', plugins: [] };
}
