/** Writes under way at first, at least, and at most: more was no faster on any link that we measured. */
const FIRST = 4;
const LEAST = 2;
const MOST = 16;

/** Milliseconds after which a write waited behind others, and keepalives with it. */
const PATIENCE = 2_000;

/** How many writes may be under way on a channel: as many as the link takes in a moment. */
export interface WriteWindow {
  readonly size: number;
  /** @param took milliseconds from sending a write to hearing that it was done */
  acknowledged(took: number): void;
}

/**
 * A window that grows while answers come quickly. On a slow link a full one would be minutes of bytes
 * in front of every keepalive, and the link would be taken for dead while bytes move (F17).
 */
export function writeWindow(): WriteWindow {
  let size = FIRST;
  return {
    get size() {
      return size;
    },
    acknowledged: (took) => {
      size = took < PATIENCE ? Math.min(MOST, size + 1) : Math.max(LEAST, size - 1);
    },
  };
}
