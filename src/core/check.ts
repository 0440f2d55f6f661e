/** One look at one place: what was wanted, what was found, and what to do about a difference. */
export interface Check {
  /** Node, or `cluster`. */
  readonly node: string;
  /** The same for every node and in every version: `xdp-mode`. */
  readonly id?: string | undefined;
  readonly check: string;
  /** What nobody could say is unknown, and never ok. */
  readonly state: 'ok' | 'failed' | 'unknown';
  readonly wanted: string;
  readonly found: string;
  readonly remedy?: string | undefined;
}

/** A check by whether it is as wanted; the remedy stays only with one that is not. */
export function judged({
  ok,
  remedy,
  ...check
}: Omit<Check, 'state'> & { readonly ok: boolean }): Check {
  return ok ? { ...check, state: 'ok' } : { ...check, state: 'failed', remedy };
}

/** A check that nobody could make. */
export function unknown(check: Omit<Check, 'state'>): Check {
  return { ...check, state: 'unknown' };
}
