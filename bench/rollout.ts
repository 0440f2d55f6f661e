import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { CONFIG } from '../lab/files.ts';
import { STATE } from '../lab/settings.ts';
import { sh } from '../lab/shell.ts';
import { SSH_CONFIG } from '../lab/ssh.ts';
import { KUBECONFIG } from '../lab/cluster.ts';
import { CLI } from './contenders.ts';
import { workFolder } from './folders.ts';
import { median } from './statistics.ts';
import { partsOf, type RolloutParts, type TimedEvent } from './rollout-parts.ts';

/** Medians over some rollouts to the two nodes of the lab. */
export interface RolloutRow extends RolloutParts {
  readonly rounds: number;
  readonly date?: string;
  /** Processes that wanted a processor meanwhile, its own among them. */
  readonly load?: number;
}

/**
 * Rolls another MTU out to the lab and the old one back again, and says where the time went. Each
 * rollout replaces both agents; no image travels.
 *
 * @throws Error when a rollout fails
 */
export async function runRollouts(
  rounds: number,
  say: (line: string) => void,
): Promise<RolloutRow> {
  await sh('npm', ['run', '--silent', 'build']);
  say('shipping what is to run');
  await deploy(['ship']);
  const all: RolloutParts[] = [];
  const loads: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const parts = await rollOut(valuesWith(round % 2 === 0 ? 1400 : 1390));
    say(`rollout ${round}: ${JSON.stringify(parts)}`);
    all.push(parts);
    loads.push(loadavg()[0] ?? 0);
  }
  await deploy(['deploy']);
  const middle = (field: keyof RolloutParts): number =>
    Math.round(median(all.map((parts) => parts[field])) * 100) / 100;
  return {
    rounds,
    date: new Date().toISOString().slice(0, 10),
    load: Math.round(median(loads) * 10) / 10,
    seconds: middle('seconds'),
    helmSeconds: middle('helmSeconds'),
    agentSeconds: middle('agentSeconds'),
    othersSeconds: middle('othersSeconds'),
    soakSeconds: middle('soakSeconds'),
    ownSeconds: middle('ownSeconds'),
  };
}

async function rollOut(values: string): Promise<RolloutParts> {
  const folder = workFolder('rollout');
  const [events, log] = [join(folder, 'events.jsonl'), join(folder, 'helm.log')];
  rmSync(log, { force: true });
  const started = performance.now();
  await deploy(['deploy', '--values', values, '--json-events', events], watchedHelm(log));
  const seconds = (performance.now() - started) / 1000;
  return partsOf(seconds, read(events), helmSeconds(readFileSync(log, 'utf8')));
}

async function deploy(args: readonly string[], bin = join(STATE, 'bin')): Promise<void> {
  await execa(process.execPath, [CLI, ...args], {
    stdin: 'ignore',
    env: {
      CILIUMSHIP_CONFIG: CONFIG,
      CILIUMSHIP_SSH_CONFIG: SSH_CONFIG,
      KUBECONFIG,
      PATH: `${bin}:${process.env['PATH']}`,
    },
  });
}

/** A folder with a `helm` that writes down when each of its runs began and ended. */
function watchedHelm(log: string): string {
  const bin = workFolder('rollout/bin');
  const real = join(STATE, 'bin', 'helm');
  const script = `#!/bin/sh
began=$(date +%s%N); ${real} "$@"; code=$?
echo "$began $(date +%s%N)" >> ${log}; exit $code
`;
  writeFileSync(join(bin, 'helm'), script);
  chmodSync(join(bin, 'helm'), 0o755);
  return bin;
}

/** Seconds during which a Helm ran: two at once count once. */
function helmSeconds(log: string): number {
  const lines = log
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  const spans = lines
    .map(([from = 0, to = 0]) => ({ from, to }))
    .toSorted((a, b) => a.from - b.from);
  let [seconds, end] = [0, 0];
  for (const { from, to } of spans) {
    seconds += Math.max(0, to - Math.max(from, end)) / 1e9;
    end = Math.max(end, to);
  }
  return seconds;
}

function read(file: string): readonly TimedEvent[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as TimedEvent);
}

function valuesWith(mtu: number): string {
  const file = join(workFolder('rollout'), 'values.yaml');
  const text = readFileSync(join(STATE, 'cilium-values.yaml'), 'utf8');
  writeFileSync(file, text.replace(/^MTU: .*$/m, `MTU: ${mtu}`));
  return file;
}
