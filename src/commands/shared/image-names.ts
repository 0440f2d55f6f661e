import picomatch from 'picomatch';
import { suggest } from '../../config/problems.ts';
import type { Config } from '../../config/normalise.ts';
import { ShipError } from '../../core/errors.ts';
import { shortName } from '../../core/image.ts';

/** Images of a config as one types them: `cilium`, `hubble-relay`. */
export function imageNames({ images, extraImages }: Config): readonly string[] {
  const extra = Array.isArray(extraImages) ? extraImages : [];
  return [...new Set([...images.map(({ repository }) => repository), ...extra].map(baseName))];
}

/** `quay.io/cilium/hubble-relay:v1.19.0` → `hubble-relay`. */
function baseName(reference: string): string {
  return shortName(reference).replace(/[:@].*$/, '');
}

/**
 * What of a list the typed names fit, by the last part of their references; all without a name.
 *
 * @throws ShipError `usage` when a name or pattern fits none
 */
export function withNames<T extends { readonly node?: string; readonly image?: string }>(
  rows: readonly T[],
  patterns: readonly string[],
): readonly T[] {
  if (patterns.length === 0) return rows;
  const known = [...new Set(rows.flatMap(({ image }) => image ?? []).map(baseName))];
  const fitting = new Map(
    patterns.map((pattern) => [pattern, known.filter((name) => picomatch.isMatch(name, pattern))]),
  );
  const unknown = [...fitting].flatMap(([pattern, found]) => (found.length === 0 ? pattern : []));
  if (unknown.length > 0 && known.length > 0) throw noImage(unknown, known);
  const wanted = new Set([...fitting.values()].flat());
  // A node that could not be asked stays in the list.
  return rows.filter(({ image }) => image === undefined || wanted.has(baseName(image)));
}

function noImage(unknown: readonly string[], known: readonly string[]): ShipError {
  const near = unknown.flatMap((word) => suggest(word, [...known, 'prune']) ?? []);
  const meant = near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`;
  return new ShipError('usage', `no shipped image is named ${unknown.join(', ')}${meant}`, {
    hint: `name some of these, or none for all: ciliumship images ${known.join(' ')}`,
  });
}
