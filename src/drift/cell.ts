/** One thing that the lock says, at one place where it can be seen. */
export interface Cell {
  /** Image key, `values`, `manifest`, an object with its field, a label. */
  readonly what: string;
  readonly place: 'local' | 'node' | 'running' | 'release';
  /** Of `node`, and of what runs on one. */
  readonly node?: string;
  /** What nobody could look at is unknown, and never ok. */
  readonly state: 'ok' | 'drift' | 'unknown';
  readonly wanted: string;
  readonly found: string;
  /** When it became so, where somebody recorded that. */
  readonly since?: string;
  /** Who did it, where somebody recorded that: a field manager of Kubernetes. */
  readonly by?: string;
  /** The command that mends it. */
  readonly remedy?: string;
}

/** What a look at one place gave, or why it gave nothing. */
export type Seen<T> = { readonly seen: T } | { readonly why: string };

/** A cell of what nobody could look at. */
export function unknownCell(cell: Pick<Cell, 'what' | 'place' | 'wanted'>, why: string): Cell {
  return { ...cell, state: 'unknown', found: why };
}

/** Where a cell was seen, in words: `worker`, `pods on worker`, `Docker here`. */
export function placeText({ place, node }: Pick<Cell, 'place' | 'node'>): string {
  if (place === 'local') return 'here';
  if (place === 'release') return 'release';
  return place === 'node' ? (node ?? 'nodes') : `pods on ${node ?? 'nodes'}`;
}
