import type { Action } from '../../core/action.ts';
import type { Remains } from '../../facts/remains.ts';

/** One part of a reset: what it does, by what is there. Nothing is left when it gives no action. */
export interface Phase {
  readonly title: string;
  readonly actions: (remains: Remains) => readonly Action[];
}
