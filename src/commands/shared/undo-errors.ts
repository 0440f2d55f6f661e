import { ShipError } from '../../core/errors.ts';
import { agentAmong, AGENT_SELECTOR, describePod } from '../../deploy/agents.ts';
import type { ReleaseName } from '../../deploy/cluster.ts';
import type { Rollout } from './rollout.ts';

/** How a rollout failed, and what there is to go back to. */
export interface Ending {
  readonly failure: ShipError;
  readonly release: ReleaseName;
  /** The last finished revision; undefined after a first install. */
  readonly target: number | undefined;
  /** Lines that say where evidence lies. */
  readonly evidence: string[];
}

/** Said where someone has to wonder: an API server that went away may have heard of something. */
export function unchanged(failure: ShipError): ShipError {
  if (failure.kind !== 'network') return failure;
  const { message, hint, retryable, cause, details } = failure;
  const said = [...details, 'the release was not changed'];
  return new ShipError('network', message, {
    ...{ retryable, cause, details: said },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The history shows it: a Helm that was killed before it began a revision did nothing at all. */
export function provedUnchanged(failure: ShipError): ShipError {
  if (failure.kind !== 'deploy' || !failure.retryable) return unchanged(failure);
  const { message, hint = 'ciliumship deploy', retryable, details } = failure;
  return unchanged(new ShipError('network', message, { hint, retryable, details, cause: failure }));
}

/** Not deploy: Docker still has the build that failed. */
const MEND =
  'mend it, then: ciliumship ship   (or, when only values were wrong: ciliumship deploy)';

/** What ran before runs again. */
export function rolledBack({ failure, target, evidence }: Ending): ShipError {
  return new ShipError('rolled-back', failure.message, {
    cause: failure,
    details: [...failure.details, `revision ${target} runs again on every node`, ...evidence],
    hint: MEND,
  });
}

/** Nothing was undone, as the user wished. */
export function left({ failure, target, evidence }: Ending): ShipError {
  const back = target === undefined ? '' : ', or undo it: ciliumship rollback';
  return new ShipError('deploy', failure.message, {
    cause: failure,
    details: [...failure.details, 'left as it is, for you to look at', ...evidence],
    hint: `mend it, then: ciliumship ship${back}`,
  });
}

/** A first install that failed: agents are held off these nodes; off none when all were proved. */
export function held({ failure, release, evidence }: Ending, nodes: readonly string[]): ShipError {
  return new ShipError('deploy', failure.message, {
    cause: failure,
    details: [
      ...failure.details,
      `first install, so there is nothing to go back to; ${agentsText(nodes)}`,
      ...evidence,
    ],
    hint: `mend it, then: ciliumship ship   (or remove it: helm uninstall ${release.name} -n ${release.namespace})`,
  });
}

function agentsText(nodes: readonly string[]): string {
  return nodes.length === 0
    ? 'every agent was proved and runs on'
    : `no agent runs on ${nodes.join(', ')}`;
}

/**
 * The rollout failed, and so did its undoing.
 *
 * @param why of the second failure
 * @param state lines that say what there is now
 */
export function notUndone(
  { failure, release: { name, namespace }, target, evidence }: Ending,
  why: ShipError,
  state: readonly string[],
): ShipError {
  const again = target === undefined ? 'ciliumship deploy' : `ciliumship rollback --to ${target}`;
  const byHand =
    target === undefined
      ? []
      : [
          `by hand: helm rollback ${name} ${target} -n ${namespace}`,
          `then for each agent of the new template: kubectl -n ${namespace} delete pod POD`,
        ];
  return new ShipError('deploy', `${failure.message}; undoing it failed: ${why.message}`, {
    cause: why,
    details: [...failure.details, ...why.details, ...state, ...byHand, ...evidence],
    hint: again,
  });
}

/** A release and the nodes that get its agents. */
export interface Scene extends Pick<Rollout, 'cluster' | 'helm' | 'namespace'> {
  readonly release: ReleaseName;
  readonly candidates: readonly { readonly name: string }[];
}

/** Revision and agents as they are now, as far as anyone can say. */
export async function stateOf(scene: Scene): Promise<readonly string[]> {
  const { cluster, helm, release, namespace, candidates } = scene;
  try {
    const pods = await cluster.pods(namespace, AGENT_SELECTOR);
    const newest = await helm.status(release);
    return [
      `now: revision ${newest?.revision} is ${newest?.status} (${newest?.description})`,
      ...candidates.map(({ name }) => `now: ${name}: ${describePod(agentAmong(pods, name))}`),
    ];
  } catch {
    return ['now: the API server does not answer; Helm was at a new revision'];
  }
}
