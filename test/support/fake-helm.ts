import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { ShipError } from '../../src/core/errors.ts';
import type { Helm, HelmRelease, HelmStatus } from '../../src/deploy/cluster.ts';

/** A Helm that keeps revisions in memory and renders by putting the values files in a row. */
export function fakeHelm(): Helm & { readonly upgrades: string[] } {
  const revisions: (HelmStatus & { readonly manifest: string })[] = [];
  const upgrades: string[] = [];
  const history = (): readonly HelmStatus[] =>
    revisions.map(({ revision, status, description }) => ({ revision, status, description }));
  const push = (made: { readonly description: string; readonly manifest: string }): void => {
    const newest = revisions.pop();
    if (newest !== undefined) revisions.push({ ...newest, status: 'superseded' });
    revisions.push({ revision: revisions.length + 1, status: 'deployed', ...made });
  };
  return {
    version: '3.21.4',
    upgrades,
    render: async (release) => render(release),
    values: async () => ({}),
    manifest: async (_, revision = revisions.length) => revisions[revision - 1]?.manifest,
    upgrade: async (release, description) => {
      const manifest = renderedFor(release);
      push({ description, manifest });
      upgrades.push(description);
      return revisions.length;
    },
    status: async () => history().at(-1),
    history: async () => history(),
    rollback: async (_, wanted) => {
      const manifest = revisions[wanted - 1]?.manifest;
      if (manifest === undefined) throw new ShipError('deploy', 'helm rollback of it failed');
      push({ description: `Rollback to ${wanted}`, manifest });
    },
    appliesOnServer: async () => false,
    uninstall: async () => void revisions.splice(0),
  };
}

/** To Helm a chart that cannot be rendered is a failed upgrade, as any other. */
function renderedFor(release: HelmRelease): string {
  try {
    return render(release);
  } catch (cause) {
    throw new ShipError('deploy', `helm upgrade of ${release.name} failed`, { cause });
  }
}

function render({ chart, values }: HelmRelease): string {
  if (!existsSync(join(chart, 'Chart.yaml'))) {
    throw new ShipError('config', 'helm upgrade was refused', {
      hint: 'mend the chart or the values file, then run the same command again',
    });
  }
  // Of a chart that is no template.
  const whole = join(chart, 'manifest.yaml');
  if (existsSync(whole)) return readFileSync(whole, 'utf8');
  return values.map((file) => readFileSync(file, 'utf8')).join('---\n');
}
