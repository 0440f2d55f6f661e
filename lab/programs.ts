import { join } from 'node:path';
import { execa } from 'execa';
import { cached, filesBelow, hashOf } from './cache.ts';
import { goVersion } from './go.ts';

/** The Go programs of the lab and its tests: Kubernetes, Helm, Flannel, and small ones of our own. */

const HERE = import.meta.dirname;
const KUBERNETES = 'v1.34.4';
const STAMP = 'k8s.io/component-base/version';
const KUBERNETES_FLAGS = [
  `-X ${STAMP}.gitVersion=${KUBERNETES}`,
  `-X ${STAMP}.gitMajor=1`,
  `-X ${STAMP}.gitMinor=34`,
];

interface Program {
  /** Folder below lab/ that holds go.mod. */
  readonly module: string;
  readonly packages: readonly string[];
  readonly flags: readonly string[];
  /** Name of the one binary; with several packages each is named after its own. */
  readonly output?: string;
  /** Some of it is C, so that building it takes gcc too. */
  readonly c?: boolean;
}

/** Helm 3 believes in an ancient Kubernetes unless it is told which one its client speaks. */
const HELM3_FLAGS = ['k8sVersionMajor=1', 'k8sVersionMinor=34'].map(
  (stamp) => `-X helm.sh/helm/v3/pkg/chartutil.${stamp}`,
);

const PROGRAMS = {
  kubernetes: {
    module: 'kubernetes',
    packages: [
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kubelet',
      'kubectl',
    ].map((name) => `k8s.io/kubernetes/cmd/${name}`),
    flags: KUBERNETES_FLAGS,
  },
  helm3: {
    module: 'helm3',
    packages: ['helm.sh/helm/v3/cmd/helm'],
    flags: HELM3_FLAGS,
    output: 'helm3',
  },
  helm4: {
    module: 'helm4',
    packages: ['helm.sh/helm/v4/cmd/helm'],
    flags: [],
    output: 'helm4',
  },
  crictl: { module: 'crictl', packages: ['.'], flags: [], output: 'crictl' },
  pause: { module: 'pause', packages: ['.'], flags: [], output: 'pause' },
  tcx: { module: 'tcx', packages: ['.'], flags: [], output: 'tcx' },
  flannel: {
    module: 'flannel',
    packages: ['github.com/flannel-io/flannel', './conflist'],
    flags: [`-linkmode external -extldflags "-static"`],
    c: true,
  },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

/**
 * Builds one of the programs, or finds it in the cache.
 *
 * @returns the folder that holds its binaries
 */
export async function buildProgram(
  name: ProgramName,
  log: (line: string) => void,
): Promise<string> {
  const program: Program = PROGRAMS[name];
  const source = join(HERE, program.module);
  const inputs = [JSON.stringify(program), await goVersion()];
  const hash = hashOf(filesBelow(source), inputs);
  return cached(name, hash, async (folder) => {
    const output = program.output === undefined ? `${folder}/` : join(folder, program.output);
    const flags = ['-s', '-w', ...program.flags].join(' ');
    const build = [
      'build',
      '-v',
      '-trimpath',
      '-ldflags',
      flags,
      '-o',
      output,
      ...program.packages,
    ];
    const child = execa('go', build, {
      cwd: source,
      env: { CGO_ENABLED: program.c === true ? '1' : '0' },
    });
    for await (const line of child.iterable({ from: 'stderr' })) log(line);
    await child;
  });
}
