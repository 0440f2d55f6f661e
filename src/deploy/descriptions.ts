/** Descriptions of Helm revisions, by which a later run knows how a rollout ended. */
export const UNFINISHED = 'ciliumship: rollout not finished';
export const FINISHED = 'ciliumship: rollout finished';

/** Of the revision that applies an earlier one in our order, before that is applied as it was. */
export function backTo(revision: number): string {
  return `${UNFINISHED}: back to revision ${revision}`;
}
