import { LINKS, SCENARIOS, TOOLS, type Link, type Scenario, type Tool } from './row.ts';

/** What is measured. */
export interface Selection {
  readonly scenarios: readonly Scenario[];
  readonly tools: readonly Tool[];
  readonly links: readonly Link[];
}

/**
 * Reads `--only warm,20mbit,ciliumship`: words of one kind narrow that kind, and a kind that is not
 * named stays whole.
 *
 * @throws Error naming a word that is neither a scenario, nor a tool, nor a link
 */
export function selectOnly(only: string | undefined): Selection {
  const words = (only ?? '').split(',').filter((word) => word !== '');
  const known: readonly string[] = [...SCENARIOS, ...TOOLS, ...LINKS];
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    throw new Error(`--only ${unknown}: there is no such thing\n  next: use ${known.join(', ')}`);
  }
  return {
    scenarios: narrow(SCENARIOS, words),
    tools: narrow(TOOLS, words),
    links: narrow(LINKS, words),
  };
}

function narrow<T extends string>(all: readonly T[], words: readonly string[]): readonly T[] {
  const named = all.filter((one) => words.includes(one));
  return named.length > 0 ? named : all;
}
