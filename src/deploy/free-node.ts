import { setTimeout as sleep } from 'node:timers/promises';
import type { Argv, Remote } from '../core/remote.ts';
import type { Step } from '../core/step.ts';
import { ShipError } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import { parsePins } from '../facts/bpf.ts';
import { parseLinks } from '../facts/links.ts';
import { reachPort } from '../facts/reach.ts';
import type { ApiServer } from './manifest.ts';

/** Stopped, not killed: the kubelet, which knows no better, would start a killed one again. */
const STOP: Argv = ['pkill', '-STOP', '-x', 'cilium-agent'];
const PINS: Argv = ['find', '/sys/fs/bpf/cilium/devices', '-path', '*/links/*'];
const LINKS: Argv = ['ip', '-j', '-d', 'link'];
/** Nothing there to be stopped, found or removed. */
const NOTHING = [1, 2, 127] as const;

/** Milliseconds in which a kubelet that is heard renews its lease: it does so every ten seconds. */
const SILENCE = 16_000;

/** A node that may have cut itself off. */
export interface CutNode {
  readonly remote: Remote;
  readonly apiServer: ApiServer;
  /** Changes with each sign of life that the API server gets from its kubelet. */
  readonly heartbeat: () => Promise<string | undefined>;
  /** Milliseconds until its kubelet must be back. */
  readonly timeout: number;
}

/**
 * True when a node that answers by SSH neither gets through to the API server nor is heard there: its
 * kubelet hears nothing then, neither of a rollback nor of a deleted pod. The address alone proves
 * nothing: it may be the wrong one that is to be undone, while the kubelet goes another way.
 *
 * @param silence milliseconds for which its kubelet must not be heard
 * @throws ShipError as `Remote.run` and `heartbeat`
 */
export async function isCutOff(
  cut: Pick<CutNode, 'remote' | 'apiServer' | 'heartbeat'>,
  signal: AbortSignal,
  silence: number = SILENCE,
): Promise<boolean> {
  if (await reaches(cut, signal)) return false;
  const last = await cut.heartbeat();
  await sleep(silence, undefined, { signal });
  return (await cut.heartbeat()) === last;
}

async function reaches(
  { remote, apiServer: { host, port } }: Pick<CutNode, 'remote' | 'apiServer'>,
  signal: AbortSignal,
): Promise<boolean> {
  return (await reachPort(remote, 'tcp', host, port, signal)) === 'open';
}

/**
 * Frees a node whose own programs keep it from the API server: its agent is stopped where it stands,
 * and what Cilium attached to interfaces is taken off (E1, E2), again and again until the API server
 * hears of its kubelet: one that is cut off starts what ends once more.
 */
export function freeNodeStep(cut: CutNode): Step<string> {
  const { remote, heartbeat, timeout } = cut;
  const { node } = remote;
  return {
    id: node,
    title: `free ${node} from its own programs`,
    plan: () => [STOP.join(' '), 'rm -f /sys/fs/bpf/cilium/devices/*/links/*'],
    done: async ({ signal }) => ((await reaches(cut, signal)) ? node : undefined),
    run: async ({ signal, progress }) => {
      const last = await heartbeat();
      const look = async (): Promise<string | undefined> => {
        progress({ text: 'stop the agent, detach its programs' });
        await remote.run(STOP, { sudo: true, signal, accept: NOTHING });
        await detachAll(remote, signal);
        progress({ text: 'wait for its kubelet' });
        return (await heartbeat()) === last ? undefined : node;
      };
      return waitFor(look, timeout, signal, () => stillCut(cut));
    },
    describe: () => `${node} answers again`,
  };
}

/** By their pins, which cannot hit another’s program, then what was attached without a link. */
async function detachAll(remote: Remote, signal: AbortSignal): Promise<void> {
  const ask = async (argv: Argv): Promise<string> =>
    (await remote.run(argv, { sudo: true, signal, accept: NOTHING })).stdout;
  const paths = parsePins(await ask(PINS)).map(({ path }) => path);
  if (paths.length > 0) await ask(['rm', '-f', '--', ...paths]);
  const left = parseLinks(await ask(LINKS)).filter(({ xdp }) => xdp?.program.startsWith('cil_'));
  for (const { name } of left) await ask(['ip', 'link', 'set', 'dev', name, 'xdp', 'off']);
}

function stillCut({ remote: { node }, apiServer: { host, port } }: CutNode): ShipError {
  return new ShipError(
    'deploy',
    `${node}: its kubelet does not get through to ${host}:${port}, even without Cilium’s programs`,
    { hint: `look at its interfaces and routes: ssh to ${node}, then: ip addr; ip route` },
  );
}
