import { Cleanup } from '../../core/cleanup.ts';
import type { ShipError } from '../../core/errors.ts';
import type { Node } from '../../core/node.ts';
import { quoteArgv } from '../../core/quote.ts';
import type { Step } from '../../core/step.ts';
import { settleStage, type StageOptions } from '../../output/stage.ts';
import { runProcess } from '../../system/process.ts';
import { openSession, type Session } from '../../system/ssh/session.ts';
import type { Config } from '../../config/normalise.ts';
import type { BareContext } from '../command.ts';
import { looking } from './stages.ts';

/** The nodes of a run: those that we are connected to, and why the others are not. */
export interface Fleet extends AsyncDisposable {
  readonly sessions: ReadonlyMap<string, Session>;
  readonly failures: ReadonlyMap<string, ShipError>;
}

/** A node by its name, and how ssh reaches it. */
type Target = Pick<Node, 'name' | 'ssh'>;

/** What reaching nodes needs of a context; `init` reaches them before there is a config. */
export interface Reaching extends BareContext {
  readonly config: Pick<Config, 'ssh'>;
}

/**
 * Connects to nodes in parallel. A node that cannot be reached does not stop the others: it is
 * listed with its error.
 *
 * @param options whether other stages run beside it
 * @throws ShipError `interrupted`
 */
export async function connectFleet(
  context: Reaching,
  nodes: readonly Target[],
  options: Pick<StageOptions, 'overlaps'> = {},
): Promise<Fleet> {
  // Collected as they open: after a Ctrl-C the stage returns nothing, and they must be closed too.
  await using opening = new Cleanup();
  const settled = await settleStage(
    'Connect',
    nodes.map((node) => connectStep(node, context, opening)),
    { ...looking(context), ...options },
  );
  const opened = opening.move();
  return {
    sessions: settled.results,
    failures: settled.failures,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

function connectStep(node: Target, context: Reaching, opening: Cleanup): Step<Session> {
  return {
    id: node.name,
    title: `connect to ${node.name}`,
    run: async ({ signal }) => opening.use(await connectTo(node, context, signal)),
    describe: () => node.name,
  };
}

/** Opens one session with the SSH settings of flags and config. Throws as `openSession`. */
export function connectTo(
  node: Target,
  { config, flags, output }: Pick<Reaching, 'config' | 'flags' | 'output'>,
  signal: AbortSignal,
): Promise<Session> {
  return openSession(
    node.name,
    node.ssh,
    {
      sshConfig: flags.sshConfig,
      hostKeys: config.ssh.hostKeys,
      runLocal: runProcess,
      onCommand: (argv) =>
        output.emit({ event: 'command', node: node.name, command: quoteArgv(argv) }),
    },
    signal,
  );
}
