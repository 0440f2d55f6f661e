import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { containerOf } from '../../lab/settings.ts';
import { ciliumship } from '../support/cli.ts';
import { configWithImage, makeExtraImage, removeExtraImages } from '../support/extra-image.ts';
import { labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';
import { randomNumbers, seedOf } from '../support/random.ts';

/**
 * Kills something at a random moment of a push, again and again, while someone looks at the final
 * names all the time: they never point at half an image, and the rerun ends like a clean run
 * (F16, F22, F23, F24). `CILIUMSHIP_TEST_ALL=1` kills 300 times,
 * `KILLS=40` as often as you like.
 */
const missing = await missingPart('the lab', requireLab);
const ALL = process.env['CILIUMSHIP_TEST_ALL'] === '1';
const ROUNDS = Number(process.env['KILLS'] ?? (ALL ? 300 : 4));
const IMAGE = 'kill.local/app:1';
const WORKER = nodeNamed('worker');
const CTR = 'k3s ctr -n k8s.io';
const STOP = '/run/stop-watching';

/** Who is killed on the node, if not we ourselves, and the faults that this stands for. */
const VICTIMS = {
  us: undefined,
  ctr: 'pids=$(pidof ctr) && kill -9 $pids; true',
  sshd: 'pids=$(pgrep -f "sshd: [a-z]*@notty") && kill -9 $pids; true',
  containerd: 'kill -9 $(pidof containerd)',
} as const;

const FAULTS = { us: 'F16', ctr: 'F22, F23', sshd: 'F16', containerd: 'F24' } as const;

type Victim = keyof typeof VICTIMS;
const KILLED = Object.keys(VICTIMS) as readonly Victim[];

let env: NodeJS.ProcessEnv;
let seconds = 5;

async function push(options: { readonly killAfter?: number } = {}) {
  const args = ['push', '--no-build', '--nodes', 'worker', '--lock-wait', '1m'];
  return ciliumship(args, { env, ...options });
}

/** Two images take turns under one name; each push must bring the other one's layer. */
async function nextImage(round: number): Promise<string> {
  const { stdout } = await execa('docker', ['tag', `kill.local/turn:${round % 2}`, IMAGE]).then(
    () => execa('docker', ['image', 'inspect', '-f', '{{.Id}}', IMAGE]),
  );
  return stdout.trim();
}

/** Looks at the final names as often as the node can, and returns what was not whole. */
function watchNames(): { stop(): Promise<readonly string[]> } {
  // A look that the kill of containerd broke off says nothing; ctr then exits with 1.
  const once = `seen=$(${CTR} images check 2>/dev/null) && echo "$seen" | grep kill.local`;
  const look = `while [ ! -e ${STOP} ]; do ${once}; sleep 0.02; done; rm ${STOP}`;
  const watching = execa('docker', ['exec', containerOf(WORKER), 'sh', '-c', look]);
  const stop = async (): Promise<readonly string[]> => {
    await onNode(WORKER, 'touch', STOP);
    const { stdout } = await watching;
    return stdout
      .split('\n')
      .filter((line) => line !== '' && !(/complete \(/.test(line) && line.endsWith('true')));
  };
  let stopped: ReturnType<typeof stop> | undefined;
  return { stop: () => (stopped ??= stop()) };
}

async function containerdAnswers(): Promise<void> {
  await until('containerd answers', 60, () =>
    onNode(WORKER, 'sh', '-c', `${CTR} version && k3s crictl images`).then(
      () => true,
      () => false,
    ),
  );
}

/** Everything of ours that a node may not keep. */
async function leftovers(): Promise<string> {
  const look = [
    'ls -A /var/lib/rancher/k3s/ciliumship 2>/dev/null',
    `${CTR} images ls -q | grep ciliumship.local`,
    `${CTR} content active | grep tar-`,
  ].join('; ');
  return onNode(WORKER, 'sh', '-c', `{ ${look}; }; true`);
}

beforeAll(async () => {
  if (missing !== undefined) return;
  env = labEnvironment(configWithImage(IMAGE, 'images: {}\ntransfer: { retry: 0s }\n'));
  for (const turn of [0, 1]) await makeExtraImage(`kill.local/turn:${turn}`, 8_000_000);
  await nextImage(1);
  const started = performance.now();
  expect((await push()).code).toBe(0);
  seconds = (performance.now() - started) / 1000;
});

afterAll(async () => {
  if (missing === undefined) await removeExtraImages('kill.local');
});

describe.skipIf(missing !== undefined)('a push in which something is killed', () => {
  const random = randomNumbers(seedOf('kill'));
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    const victim = KILLED[round % KILLED.length] as Victim;
    return { round, victim, faults: FAULTS[victim], share: random(1000) / 1000 };
  });

  it.each(rounds)(
    '$faults: $victim killed in round $round after $share of its time',
    async ({ round, victim, share }) => {
      const id = await nextImage(round);
      const watch = watchNames();
      onTestFinished(async () => void (await watch.stop()));
      const after = share * seconds * 1000;
      const pushed = push(victim === 'us' ? { killAfter: after } : {});
      const script = VICTIMS[victim];
      if (script !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, after));
        await onNode(WORKER, 'sh', '-c', script);
      }
      const cut = await pushed;
      expect(cut.code, cut.stderr).not.toBe(1);
      await containerdAnswers();
      const healed = await push();
      expect(healed.code, healed.stderr).toBe(0);
      expect(await watch.stop()).toEqual([]);
      const list = await onNode(WORKER, 'k3s', 'crictl', 'images', '--no-trunc');
      expect(list).toContain(id);
      expect(await leftovers()).toBe('');
    },
  );
});
