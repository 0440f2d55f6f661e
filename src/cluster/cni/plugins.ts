import { ShipError } from '../../core/errors.ts';
import type { Argv, Remote } from '../../core/remote.ts';
import type { Step } from '../../core/step.ts';

/** What Flannel's configuration delegates to, and its manifest does not bring. */
const NEEDED = ['bridge', 'host-local', 'loopback', 'portmap'] as const;
const FOLDER = '/opt/cni/bin';
/** Where K3s keeps its own, which containerd looks for only with K3s's own Flannel. */
const OF_K3S = '/var/lib/rancher/k3s/data/cni';

/**
 * Sees to it that a node has the CNI plugins: links to those of K3s, else those of an archive.
 *
 * @param archive what is in `cni.plugins` of the config, when it names one
 */
export function pluginsStep(
  node: string,
  remote: Remote,
  archive: (() => Promise<Uint8Array>) | undefined,
): Step<string> {
  return {
    id: node,
    title: `bring CNI plugins to ${node}`,
    plan: () => [`${NEEDED.join(', ')} into ${FOLDER}`],
    done: async ({ signal }) =>
      (await missingIn(FOLDER, remote, signal)).length === 0 ? 'there' : undefined,
    run: async ({ signal }) => {
      const missing = await missingIn(FOLDER, remote, signal);
      if ((await missingIn(OF_K3S, remote, signal, missing)).length === 0) {
        await linkThem(missing, remote, signal);
        return `linked ${missing.join(', ')}`;
      }
      if (archive === undefined) throw noPlugins(node, missing);
      await unpack(await archive(), remote, signal);
      const still = await missingIn(FOLDER, remote, signal);
      if (still.length > 0) throw noPlugins(node, still);
      return `unpacked ${missing.join(', ')}`;
    },
    describe: (what) => `${node} ${what}`,
  };
}

async function missingIn(
  folder: string,
  remote: Remote,
  signal: AbortSignal,
  names: readonly string[] = NEEDED,
): Promise<readonly string[]> {
  const found = await Promise.all(
    names.map((name) =>
      remote.run(['test', '-x', `${folder}/${name}`], { sudo: true, signal, accept: [1] }),
    ),
  );
  return names.filter((_, index) => found[index]?.code !== 0);
}

async function linkThem(
  names: readonly string[],
  remote: Remote,
  signal: AbortSignal,
): Promise<void> {
  const [first = '', ...rest] = names.map((name) => `${OF_K3S}/${name}`);
  await remote.run(['mkdir', '-p', FOLDER], { sudo: true, signal });
  const link: Argv = ['ln', '-sf', '-t', FOLDER, '--', first, ...rest];
  await remote.run(link, { sudo: true, signal });
}

async function unpack(archive: Uint8Array, remote: Remote, signal: AbortSignal): Promise<void> {
  await remote.run(['mkdir', '-p', FOLDER], { sudo: true, signal });
  const argv = ['tar', '-xzf', '-', '--no-same-owner', '-C', FOLDER] as const;
  await remote.run(argv, { sudo: true, signal, input: archive });
}

function noPlugins(node: string, missing: readonly string[]): ShipError {
  return new ShipError('storage', `${node}: has no CNI plugin ${missing.join(', ')} in ${FOLDER}`, {
    hint: 'name the archive of containernetworking/plugins in the config: cni.plugins.archive',
  });
}
