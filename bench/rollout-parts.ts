/** Where the time of a rollout went, in seconds. */
export interface RolloutParts {
  readonly seconds: number;
  /** While a Helm ran. */
  readonly helmSeconds: number;
  /** From the deletion of an agent until the new one was ready, of all nodes together. */
  readonly agentSeconds: number;
  /** While the new operator and what else the chart changed came up. */
  readonly othersSeconds: number;
  /** While a ready agent was only watched: `deploy.soak`. */
  readonly soakSeconds: number;
  /** All the rest: what ciliumship itself adds. */
  readonly ownSeconds: number;
}

/** A line of `--json-events`, as far as it matters here. */
export interface TimedEvent {
  readonly time: string;
  readonly event: string;
  readonly stage?: string;
  readonly step?: string;
  readonly state?: string;
  readonly progress?: { readonly text?: string };
}

/**
 * Splits a rollout by what its events say.
 *
 * @param seconds of the whole command
 * @throws Error when no agent was replaced
 */
export function partsOf(
  seconds: number,
  events: readonly TimedEvent[],
  helmSeconds: number,
): RolloutParts {
  const steps = Map.groupBy(events.filter(isOfAgents), ({ step }) => step ?? '');
  const spans = [...steps.values()].flatMap(agentSpan);
  if (spans.length === 0) throw new Error('no agent was replaced');
  const sum = (of: (span: AgentSpan) => number): number =>
    spans.reduce((all, span) => all + of(span), 0);
  const [agentSeconds, soakSeconds] = [sum(({ ready }) => ready), sum(({ soak }) => soak)];
  const othersSeconds = stageSeconds(events, 'Operator') + stageSeconds(events, 'Settle');
  return {
    ...{ seconds, helmSeconds, agentSeconds, othersSeconds, soakSeconds },
    ownSeconds: seconds - helmSeconds - agentSeconds - othersSeconds - soakSeconds,
  };
}

function stageSeconds(events: readonly TimedEvent[], name: string): number {
  const own = events.filter(({ event, stage }) => event === 'stage' && stage === name);
  const at = (wanted: string): number | undefined =>
    own.flatMap(({ state, time }) => (state === wanted ? [Date.parse(time) / 1000] : []))[0];
  const [from, to] = [at('started'), at('done')];
  return from === undefined || to === undefined ? 0 : to - from;
}

interface AgentSpan {
  readonly ready: number;
  readonly soak: number;
}

function isOfAgents({ event, stage }: TimedEvent): boolean {
  return stage === 'Roll out' && event === 'progress';
}

/** None for an agent that was not replaced. */
function agentSpan(events: readonly TimedEvent[]): readonly AgentSpan[] {
  const at = (words: RegExp): number | undefined => {
    const found = events.find(({ progress }) => words.test(progress?.text ?? ''));
    return found === undefined ? undefined : Date.parse(found.time) / 1000;
  };
  const [deleted, ready] = [at(/^delete /), at(/^watch /)];
  const soak = events.map(({ progress }) => /^watch .* for ([\d.]+) s$/.exec(progress?.text ?? ''));
  const seconds = Number(soak.find((found) => found !== null)?.[1] ?? 0);
  return deleted === undefined || ready === undefined
    ? []
    : [{ ready: ready - deleted, soak: seconds }];
}
