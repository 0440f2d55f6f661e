import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, filesBelow, hashOf } from '../lab/cache.ts';
import { goVersion } from '../lab/go.ts';
import { buildProgram } from '../lab/programs.ts';
import { sh } from '../lab/shell.ts';

/** Real Go programs in the place of Cilium's: those that the lab is made of. */

const MODULE = join(import.meta.dirname, '../lab/kubernetes');
const AGENT_PROGRAMS = ['kubelet', 'kube-scheduler'] as const;

/** What the developer changes: one function of a module that lies beside the program's own. */
const CHANGED_MODULE = 'k8s.io/cri-client';
const CHANGED_FILE = 'pkg/remote_runtime.go';
const FUNCTION = /^func \(r \*remoteRuntimeService\) StopPodSandbox\(.*\{$/m;
const LINE = 'klog.FromContext(ctx).Info("Stopping the sandbox of a pod", "id", podSandBoxID)';

/** As upstream does it, every program bears the commit that it was built from. */
const STAMP = '-X k8s.io/component-base/version.gitCommit=';

export interface Programs {
  /** 102 MB: as large as the proxy of a Cilium image. */
  readonly proxy: string;
  /** 93 MB: as large as an operator. */
  readonly operator: string;
  /** 157 MB together: as large as the agent with its tools. */
  readonly agent: readonly string[];
  /** The same after a change of one function, all of them linked anew. */
  readonly changedAgent: readonly string[];
}

/** Builds what the images hold (first time: some minutes), or finds it in the cache. */
export async function buildPrograms(log: (line: string) => void): Promise<Programs> {
  const kubernetes = await buildProgram('kubernetes', log);
  const inputs = [...filesBelow(MODULE), import.meta.filename];
  const agents = await cached('bench-agent', hashOf(inputs, [await goVersion()]), buildAgents);
  return {
    proxy: join(kubernetes, 'kube-apiserver'),
    operator: join(kubernetes, 'kube-controller-manager'),
    agent: AGENT_PROGRAMS.map((name) => join(agents, 'before', name)),
    changedAgent: AGENT_PROGRAMS.map((name) => join(agents, 'after', name)),
  };
}

async function buildAgents(folder: string): Promise<void> {
  const module = join(folder, 'module');
  cpSync(MODULE, module, { recursive: true });
  const changed = join(module, 'changed');
  await sh('cp', ['-r', await moduleFolder(CHANGED_MODULE), changed]);
  await sh('chmod', ['-R', 'u+w', changed]);
  await sh('go', ['-C', module, 'mod', 'edit', '-replace', `${CHANGED_MODULE}=./changed`]);
  await link(module, join(folder, 'before'), '1'.repeat(40));
  changeFunction(join(changed, CHANGED_FILE));
  await link(module, join(folder, 'after'), '2'.repeat(40));
}

async function moduleFolder(name: string): Promise<string> {
  return sh('go', ['-C', MODULE, 'list', '-m', '-f', '{{.Dir}}', name]);
}

async function link(module: string, folder: string, commit: string): Promise<void> {
  mkdirSync(folder);
  const packages = AGENT_PROGRAMS.map((name) => `k8s.io/kubernetes/cmd/${name}`);
  const flags = ['-mod=mod', '-trimpath', '-ldflags', `-s -w ${STAMP}${commit}`];
  const build = ['build', ...flags, '-o', `${folder}/`, ...packages];
  await sh('env', ['CGO_ENABLED=0', 'go', '-C', module, ...build]);
}

function changeFunction(file: string): void {
  const text = readFileSync(file, 'utf8');
  if (!FUNCTION.test(text)) throw new Error(`${file} has no function ${FUNCTION.source}`);
  writeFileSync(
    file,
    text.replace(FUNCTION, (head) => `${head}\n\t${LINE}`),
  );
}
