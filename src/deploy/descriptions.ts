/** Descriptions of Helm revisions, by which a later run knows how a rollout ended. */
export const UNFINISHED = 'ciliumship: rollout not finished';
export const FINISHED = 'ciliumship: rollout finished';
