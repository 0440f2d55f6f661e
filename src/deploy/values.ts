import type { ShipImage } from '../core/image.ts';
import { isTree, valueOf, type Values } from './tree.ts';

/** An image with the values key of its block in the chart. */
export interface PlacedImage extends Pick<ShipImage, 'digestName'> {
  /** `image`, `operator.image`. */
  readonly value: string;
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

/** A node with this label gets no agent yet. */
export const HOLD_LABEL = 'ciliumship.io/hold';

/**
 * What ciliumship sets over the user's values: the images by their digest names, never pulled; a
 * restart when a ConfigMap changes; envoy one node at a time; and an affinity that keeps agents off
 * held nodes. The affinity is always there, so that taking a hold away changes no pod template.
 *
 * @param user the user's own values, whose required node affinity is kept
 * @param shipped paths of blocks whose images were shipped under the names that the chart gives them
 */
export function deriveValues(
  images: readonly PlacedImage[],
  user: Values = {},
  shipped: readonly string[] = [],
): Values {
  const overrides = images.map(({ value, digestName }) =>
    nest(value, { override: digestName, useDigest: false, pullPolicy: 'Never' }),
  );
  const others = shipped.map((path) => nest(path, { useDigest: false, pullPolicy: 'Never' }));
  const fixed: Values = {
    rollOutCiliumPods: true,
    operator: { rollOutPods: true },
    envoy: { rollOutPods: true, updateStrategy: oneAtATime() },
    affinity: { nodeAffinity: holdAffinity(user) },
  };
  return [...overrides, ...others, fixed].reduce(merge, {});
}

/** Over the derived values while agents are replaced: the order is ours. */
export const OWN_ORDER: Values = { updateStrategy: { type: 'OnDelete', rollingUpdate: null } };

function oneAtATime(): Values {
  return { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } };
}

/** Lists are replaced by Helm, so the user's own terms are written again, each with our condition. */
function holdAffinity(user: Values): Values {
  const free = { key: HOLD_LABEL, operator: 'DoesNotExist' };
  const path = ['affinity', 'nodeAffinity', REQUIRED, 'nodeSelectorTerms'];
  const own = valueOf(user, path);
  const terms = Array.isArray(own) && own.length > 0 ? own.filter(isTree) : [{}];
  const nodeSelectorTerms = terms.map((term) => {
    const expressions = term['matchExpressions'];
    const theirs: readonly unknown[] = Array.isArray(expressions) ? expressions : [];
    return { ...term, matchExpressions: [...theirs, free] };
  });
  return { [REQUIRED]: { nodeSelectorTerms } };
}

/** `a.b` and a value → `{ a: { b: value } }`. */
function nest(path: string, value: Values): Values {
  return path.split('.').reduceRight<Values>((inner, key) => ({ [key]: inner }), value);
}

/** Trees merged key by key, `over` winning; lists and plain values are replaced. */
export function merge(base: Values, over: Values): Values {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const under = merged[key];
    merged[key] = isTree(under) && isTree(value) ? merge(under, value) : value;
  }
  return merged;
}
