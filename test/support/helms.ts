import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { TREE } from '../../lab/files.ts';
import { STATE } from '../../lab/settings.ts';
import { ciliumship } from './cli.ts';
import { helm4Environment, labEnvironment } from './lab.ts';

/** A Helm of the lab, and what makes the release one of its own. */
export interface LabHelm {
  readonly name: string;
  readonly program: string;
  /** In which it is `helm`. */
  readonly env: NodeJS.ProcessEnv;
  /** Flags without which it stops at fields that were changed by hand. */
  readonly force: readonly string[];
  /** Ships, and makes the release one that this Helm applied. */
  readonly begin: () => Promise<void>;
  /** Leaves what a ship deploys, in a revision of this Helm where Helm 3 has nothing to do. */
  readonly end: () => Promise<void>;
}

/** The Helm of the lab's own environment. */
export const HELM3: LabHelm = {
  name: 'Helm 3',
  program: join(STATE, 'bin', 'helm3'),
  env: labEnvironment(),
  force: [],
  begin: () => ship(),
  end: async () => undefined,
};

/** Helm 4 that applies on the server, where fields of others are conflicts. */
export function helm4(): LabHelm {
  const program = join(STATE, 'bin', 'helm4');
  return {
    name: 'Helm 4',
    program,
    env: helm4Environment(),
    force: ['--force-conflicts'],
    begin: async () => {
      await ship();
      const chart = join(TREE, 'install/kubernetes/cilium');
      const args = ['--reuse-values', '--server-side=true', '--force-conflicts'];
      await execa(program, ['upgrade', 'cilium', chart, '-n', 'kube-system', ...args], {
        env: { KUBECONFIG: HELM3.env['KUBECONFIG'] },
      });
    },
    end: () => ship('--force-conflicts'),
  };
}

/** With Helm 3. */
async function ship(...flags: readonly string[]): Promise<void> {
  const ended = await ciliumship(['ship', ...flags], { env: HELM3.env });
  if (ended.code !== 0) throw new Error(ended.stderr);
}

/** Those that a fault is shown with: Helm 3, and with CILIUMSHIP_TEST_ALL=1 Helm 4 as well. */
export function helms(): readonly LabHelm[] {
  return process.env['CILIUMSHIP_TEST_ALL'] === '1' ? [HELM3, helm4()] : [HELM3];
}

/**
 * A Helm on PATH that is the real one, but for one upgrade that is killed.
 *
 * @param upgrade which one, from 1
 * @param after milliseconds from its start
 */
export function helmKilledAt(
  { program: real, env }: Pick<LabHelm, 'program' | 'env'>,
  upgrade: number,
  after: number,
): NodeJS.ProcessEnv {
  const bin = mkdtempSync(join(tmpdir(), 'ciliumship-helm-'));
  writeFileSync(
    join(bin, 'helm'),
    `#!/bin/sh
case "$* " in *--dry-run*) exec ${real} "$@" ;; esac
[ "$1" = upgrade ] || exec ${real} "$@"
echo x >> ${bin}/upgrades
[ "$(wc -l < ${bin}/upgrades)" -eq ${upgrade} ] || exec ${real} "$@"
exec timeout -s KILL ${after / 1000} ${real} "$@"
`,
  );
  chmodSync(join(bin, 'helm'), 0o755);
  return { ...env, PATH: `${bin}:${env['PATH']}` };
}
