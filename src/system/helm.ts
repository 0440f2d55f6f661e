import { z } from 'zod';
import { ShipError } from '../core/errors.ts';
import type { Finished } from '../core/remote.ts';
import { lastLines } from '../core/text.ts';
import { unreachable } from './helm-unreachable.ts';
import { HELM_TIMEOUT, runHelm, type HelmOptions } from './helm-process.ts';

/** Which cluster Helm talks to. */
export interface HelmTarget {
  readonly kubeconfig: string;
  readonly context?: string | undefined;
}

interface ReleaseName {
  readonly name: string;
  readonly namespace: string;
}

export interface HelmRelease extends ReleaseName {
  readonly chart: string;
  readonly values: readonly string[];
  readonly wait?: number | undefined;
  readonly keepHistory?: boolean | undefined;
  readonly forceConflicts?: boolean | undefined;
}

const upgraded = z.object({ version: z.int(), manifest: z.string() });
/** In JSON, and in the text of the same command. */
const SSA = new Set(['ssa', 'server-side apply']);
const metadata = z.object({ applyMethod: z.string().default('') });
const removal = z.object({ info: z.object({ deleted: z.string().optional() }) });
const revisions = z.array(
  z.object({
    revision: z.int(),
    status: z.string(),
    description: z.string().default(''),
    updated: z.string().optional(),
  }),
);

/**
 * Helm 3 or 4 by its command line. It never waits for pods: with the chart's own `maxUnavailable: 2`
 * Helm 3 was seen to report success while every agent crashed (reference helm-rollout §2).
 *
 * @throws ShipError `usage` when Helm is not installed or older than 3.8
 */
export async function openHelm(target: HelmTarget, signal: AbortSignal) {
  const version = await helmVersion(signal);
  const tried = (args: readonly string[]): Promise<Finished> => helmAt(target, args, { signal });
  const changed = (args: readonly string[], wait = 0): Promise<Finished> =>
    helmAt(target, args, { signal, timeout: HELM_TIMEOUT + wait, changes: true });
  const appliesOnServer = async ({ name, namespace }: ReleaseName): Promise<boolean> => {
    if (Number(version.split('.')[0]) < 4) return false;
    const found = await tried(['get', 'metadata', name, '-n', namespace, '-o', 'json']);
    return !isAbsent(found) && SSA.has(read(metadata, found.stdout, 'get metadata').applyMethod);
  };
  return {
    version,
    async render(release: HelmRelease): Promise<string> {
      const args = [...upgradeArguments(release), '--dry-run=server', '-o', 'json'];
      const done = await tried(args);
      if (done.code !== 0) throw refused(args, done);
      return read(upgraded, done.stdout, 'upgrade').manifest;
    },
    async manifest(release: ReleaseName, revision?: number): Promise<string | undefined> {
      const { name, namespace } = release;
      const which = revision === undefined ? [] : ['--revision', String(revision)];
      const found = await tried(['get', 'manifest', name, '-n', namespace, ...which]);
      return isAbsent(found) ? undefined : found.stdout;
    },
    async values({ name, namespace }: ReleaseName, revision?: number): Promise<unknown> {
      const which = revision === undefined ? [] : ['--revision', String(revision)];
      const args = ['get', 'values', name, '-n', namespace, ...which, '-o', 'json'];
      const found = await tried(args);
      return isAbsent(found) ? undefined : (JSON.parse(found.stdout) as unknown);
    },
    async upgrade(release: HelmRelease, description: string): Promise<number> {
      const force = release.forceConflicts === true ? ['--force-conflicts'] : [];
      const { wait = 0 } = release;
      const waits = wait > 0 ? ['--wait', '--timeout', `${Math.ceil(wait / 1000)}s`] : [];
      const keeps = release.keepHistory === true ? ['--history-max', '0'] : [];
      const more = ['--description', description, '-o', 'json', ...force, ...waits, ...keeps];
      const args = [...upgradeArguments(release), ...more];
      const done = await changed(args, wait);
      if (done.code !== 0) throw stopped('upgrade', release, done);
      return read(upgraded, done.stdout, 'upgrade').version;
    },
    async rollback(release: ReleaseName, revision: number): Promise<void> {
      const { name, namespace } = release;
      // What was changed by hand must not keep a cluster from what worked. By itself Helm 4 takes the
      // way of the revision that it goes back to, which may be one of Helm 3, and then refuses the force.
      const onServer = await appliesOnServer(release);
      const force = onServer ? ['--server-side=true', '--force-conflicts'] : [];
      const done = await changed(['rollback', name, String(revision), '-n', namespace, ...force]);
      if (done.code !== 0) throw stopped('rollback', release, done);
    },
    appliesOnServer,
    async uninstall(release: ReleaseName): Promise<void> {
      const { name, namespace } = release;
      // What stays is waited for by who knows why a namespace may hang.
      const done = await changed(['uninstall', name, '-n', namespace]);
      if (done.code !== 0) throw unreachable(done) ?? failed(done);
    },
    async status(release: ReleaseName): Promise<Revision | undefined> {
      return (await history(release)).at(-1);
    },
    history,
  };

  async function history({ name, namespace }: ReleaseName): Promise<readonly Revision[]> {
    const args = ['history', name, '-n', namespace, '--max', '20', '-o', 'json'];
    const found = await tried(args);
    if (isAbsent(found)) return [];
    const listed = read(revisions, found.stdout, 'history');
    const newest = listed.at(-1);
    if (newest?.status !== 'uninstalling') return listed;
    const since = (await removedSince({ name, namespace })) || newest.updated;
    return [...listed.slice(0, -1), { ...newest, updated: since }];
  }

  /** The history of a release that is being removed knows only when it was deployed. */
  async function removedSince({ name, namespace }: ReleaseName): Promise<string | undefined> {
    const found = await tried(['status', name, '-n', namespace, '-o', 'json']);
    return isAbsent(found) ? undefined : read(removal, found.stdout, 'status').info.deleted;
  }
}

type Revision = z.output<typeof revisions>[number];

/**
 * A chart as it would be installed, rendered without any cluster.
 *
 * @param values text of a values file
 * @throws ShipError `usage` when Helm is not installed, `config` when it refuses chart or values
 */
export async function renderChart(
  chart: string,
  values: string,
  { name, namespace }: ReleaseName,
  signal: AbortSignal,
): Promise<string> {
  const args = ['template', name, chart, '-n', namespace, '-f', '-'];
  const found = await runHelm(args, { input: values, signal, silent: 'this machine' });
  if (found.code !== 0) throw refused(args, found);
  return found.stdout;
}

/**
 * True before the first install. Helm has no exit code for it, only its words.
 *
 * @throws ShipError when Helm failed for any other reason
 */
function isAbsent(found: Finished): boolean {
  if (found.code === 0) return false;
  if (/release: not found/.test(found.stderr)) return true;
  throw unreachable(found) ?? failed(found);
}

function upgradeArguments(release: HelmRelease): readonly string[] {
  return [
    ...['upgrade', '--install', release.name, release.chart, '-n', release.namespace],
    ...release.values.flatMap((file) => ['-f', file]),
  ];
}

async function helmVersion(signal: AbortSignal): Promise<string> {
  const args = ['version', '--template', '{{.Version}}'];
  const found = await runHelm(args, { signal, silent: 'this machine' });
  if (found.code !== 0) throw failed(found);
  const version = found.stdout.trim().replace(/^v/, '');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 3 || (major === 3 && minor >= 8)) return version;
  throw new ShipError('usage', `helm ${version} is too old: 3.8 or newer is needed`, {
    hint: 'install Helm 3 or 4 and put it first on PATH',
  });
}

function helmAt(
  { kubeconfig, context }: HelmTarget,
  args: readonly string[],
  options: HelmOptions,
): Promise<Finished> {
  const where = context === undefined ? [] : ['--kube-context', context];
  const env = { KUBECONFIG: kubeconfig, HELM_DEBUG: undefined };
  return runHelm([...args, ...where], { ...options, env });
}

/** What Helm refuses is wrong in chart or values, unless it could not reach the cluster. */
function refused(args: readonly string[], found: Finished): ShipError {
  const { stderr, stdout } = found;
  const details = lastLines(stderr || stdout, 12);
  return (
    unreachable(found) ??
    new ShipError('config', `helm ${args[0] ?? ''} was refused`, {
      details,
      hint: 'mend the chart or the values file, then run the same command again',
    })
  );
}

function failed({ stderr }: Finished): ShipError {
  // Helm has no exit code for it, only the words of the API server.
  if (/ is forbidden: /.test(stderr)) {
    return new ShipError('identity', 'helm may not read the release: no right to its Secrets', {
      details: lastLines(stderr, 2),
    });
  }
  return new ShipError('deploy', 'helm failed', { details: lastLines(stderr, 12) });
}

/** What failed may have changed objects; its revision says `failed` or `pending`. */
function stopped(
  what: string,
  { name, namespace, wait = 0 }: ReleaseName & Pick<HelmRelease, 'wait'>,
  found: Finished,
): ShipError {
  const pending = /another operation/.test(found.stderr);
  return (
    unreachable(found, wait > 0) ??
    new ShipError('deploy', `helm ${what} of ${name} failed; some objects may be changed`, {
      details: lastLines(found.stderr, 12),
      hint: pending
        ? 'an earlier helm was killed; free the release: ciliumship deploy --repair-release'
        : `see what there is: helm history ${name} -n ${namespace}; then run the same command again`,
    })
  );
}

function read<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ShipError('bug', `helm ${what} printed something else than expected`, { cause });
  }
}
