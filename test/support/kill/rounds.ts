import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { ContainerdVersion } from '../../../lab/containerd.ts';
import { randomNumbers } from '../random.ts';

/** Who is killed on the node, if not we ourselves. */
export const VICTIMS = {
  us: undefined,
  ctr: 'pids=$(pidof ctr) && kill -9 $pids; true',
  sshd: 'pids=$(pgrep -f "sshd: [a-z]*@notty") && kill -9 $pids; true',
  containerd: 'kill -9 $(pidof containerd)',
} as const;

export type Victim = keyof typeof VICTIMS;

/** The faults that each stands for. */
const FAULTS = { us: 'F16', ctr: 'F22, F23', sshd: 'F16', containerd: 'F24' } as const;
const KILLED = Object.keys(VICTIMS) as readonly Victim[];

/** One kill at one moment of a push. */
export interface Round {
  readonly round: number;
  readonly victim: Victim;
  readonly faults: string;
  /** Part of the time of a push after which it happens. */
  readonly share: number;
}

/** The rounds of a seed: the same for every run with it, however many are run. */
export function roundsOf(seed: number, count: number): readonly Round[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, (_, round) => {
    const victim = KILLED[round % KILLED.length] as Victim;
    return { round, victim, faults: FAULTS[victim], share: random(1000) / 1000 };
  });
}

const FOLDER = '.ciliumship';

/** What was survived already, so that a long run with a seed goes on where it was stopped. */
export interface Survived {
  has(round: Round): boolean;
  add(round: Round): void;
}

/** @param version of containerd */
export function survivedWith(seed: number, version: ContainerdVersion): Survived {
  const file = `${FOLDER}/kills-${seed}-containerd-${version}.txt`;
  const before = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return {
    has: ({ round }) => before.includes(String(round)),
    add: ({ round }) => {
      mkdirSync(FOLDER, { recursive: true });
      appendFileSync(file, `${round}\n`);
    },
  };
}
