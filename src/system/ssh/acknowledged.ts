/** Counts the bytes acknowledged without a hole: only those may be resumed from. */
export interface Acknowledged {
  bytes(): number;
  /** `length` bytes at offset `at` are written; answers may come in any order. */
  add(at: number, length: number): void;
}

/** @param report called with the count after each answer, `start` included */
export function acknowledgements(start: number, report: (bytes: number) => void): Acknowledged {
  const waiting = new Map<number, number>();
  let contiguous = start;
  return {
    bytes: () => contiguous,
    add: (at, length) => {
      waiting.set(at, length);
      for (let next = waiting.get(contiguous); next !== undefined; next = waiting.get(contiguous)) {
        waiting.delete(contiguous);
        contiguous += next;
      }
      report(contiguous);
    },
  };
}
