import { Listr, PRESET_TIMER, type ListrTask } from 'listr2';
import { DEFAULT_CONTAINERD, fetchContainerd, type ContainerdVersion } from './containerd.ts';
import { ensureDocker } from './docker.ts';
import { startAgent, startServer } from './cluster.ts';
import { TREE, writeBin, writeConfig } from './files.ts';
import { buildNodeImage, buildRoot, CONTAINERD_LABEL, fetchBpftool } from './node-image.ts';
import { ensureNetworks, exists, isBare, labelOf, sshPorts, startNode } from './nodes.ts';
import { goVersion } from './go.ts';
import { ensurePackages } from './packages.ts';
import { buildProgram } from './programs.ts';
import { NODES } from './settings.ts';
import { ensureKeys, writeSshFiles } from './ssh.ts';
import { isStock, writeTree } from './tree-source.ts';
import { makeTreeImages } from './tree-images.ts';

export interface UpOptions {
  /** Asked for by the user; without it nodes that are there may have any. */
  readonly containerd?: ContainerdVersion;
  /** The sample tree without its patch; without a word it stays as it is. */
  readonly stock?: boolean;
  /** Machines with nothing of Kubernetes; without a word nodes that are there stay what they are. */
  readonly bare?: boolean;
}

interface Built {
  root: string;
  bpftool: string;
  containerd: string | undefined;
  standins: readonly string[];
  image: string;
  programs: Record<NodeProgram, string>;
  bare: boolean;
}

/** What a task needs of its line on the screen. */
interface Line {
  title?: string | undefined;
  output: string;
}

const PROGRAMS = ['kubernetes', 'helm3', 'helm4', 'crictl', 'pause'] as const;

type NodeProgram = (typeof PROGRAMS)[number];
const [SERVER, ...AGENTS] = NODES;

/** Brings the lab up. Every part that is there already is left alone and says so. */
export function upTasks(options: UpOptions = {}): Listr<Built> {
  const version = options.containerd ?? DEFAULT_CONTAINERD;
  return new Listr<Built>(
    [
      { title: 'Look for Go', task: async (_, task) => told(task, await goVersion()) },
      { title: 'Install packages', task: async (_, task) => told(task, await ensurePackages()) },
      { title: 'Start Docker', task: async (_, task) => told(task, await ensureDocker()) },
      {
        title: 'Look at the nodes',
        task: async (built) => {
          if (options.containerd !== undefined) await checkVersion(version);
          built.bare = await bareOrNot(options.bare);
        },
      },
      {
        title: 'Build',
        task: (_, task) => task.newListr(buildTasks(version), { concurrent: true }),
      },
      {
        title: 'Make keys and networks',
        skip: allExist,
        task: async () => Promise.all([ensureKeys(), ensureNetworks()]),
      },
      {
        title: 'Make the node image',
        skip: allExist,
        task: async (built) => {
          const { root, bpftool, containerd, programs } = built;
          built.image = await buildNodeImage({ root, bpftool, containerd, version, ...programs });
        },
      },
      {
        title: 'Boot the nodes',
        task: (built, task) =>
          task.newListr(
            NODES.map((node) => ({
              title: node.name,
              task: async (_: Built, own: Line) =>
                told(own, await startNode(node, built.image, built.bare)),
            })),
            { concurrent: true },
          ),
      },
      {
        title: 'Write the ssh config, kubectl and helm',
        task: async ({ programs }) => {
          writeSshFiles(await sshPorts());
          writeBin(programs);
        },
      },
      {
        title: 'Start K3s on master',
        skip: ({ bare }) => bare,
        task: async (_, task) => {
          if (SERVER !== undefined) told(task, await startServer(SERVER));
        },
      },
      {
        title: 'Start K3s on worker',
        skip: ({ bare }) => bare,
        task: async (_, task) => {
          for (const node of AGENTS) told(task, await startAgent(node));
        },
      },
      {
        title: 'Write the sample tree',
        task: async (built, task) => {
          told(task, await writeTree(TREE, options));
          writeConfig(built.standins, isStock(TREE));
        },
      },
    ],
    {
      ctx: { programs: {} } as Built,
      rendererOptions: { timer: PRESET_TIMER },
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  );
}

async function allExist(): Promise<boolean> {
  return (await Promise.all(NODES.map(exists))).every(Boolean);
}

/** Said because a list takes after the one that it is in. */
const ONE_BY_ONE = { concurrent: false } as const;

/** Debian and Go are built side by side: one waits for the network, the other for the processors. */
function buildTasks(version: ContainerdVersion): ListrTask<Built>[] {
  return [
    { title: 'Debian', task: (_, task) => task.newListr(debianTasks(version), ONE_BY_ONE) },
    {
      title: 'Go programs',
      task: (_, task) => task.newListr(PROGRAMS.map(programTask), ONE_BY_ONE),
    },
  ];
}

function debianTasks(version: ContainerdVersion): ListrTask<Built>[] {
  return [
    {
      title: 'root of the nodes',
      task: async (built) => {
        built.root = await buildRoot();
        built.bpftool = await fetchBpftool();
      },
    },
    {
      title: `containerd ${version}`,
      task: async (built) => {
        built.containerd = await fetchContainerd(version);
      },
    },
    {
      title: 'images that the sample is built from',
      task: async (built, task) => {
        built.standins = await makeTreeImages((line) => (task.output = line));
      },
    },
  ];
}

function programTask(name: NodeProgram): ListrTask<Built> {
  return {
    title: name,
    task: async (built, task) => {
      built.programs[name] = await buildProgram(name, (line) => (task.output = line));
    },
  };
}

/** Nodes keep the containerd that they were made with. */
async function checkVersion(asked: ContainerdVersion): Promise<void> {
  for (const node of NODES) {
    if (!(await exists(node))) continue;
    const found = await labelOf(node, CONTAINERD_LABEL);
    if (found !== asked) throw new Error(otherVersion(node.name, found, asked));
  }
}

/** Nodes stay what they were made as. */
async function bareOrNot(asked: boolean | undefined): Promise<boolean> {
  const found = (await Promise.all(NODES.map(isBare))).find((bare) => bare !== undefined);
  const are = found ?? asked ?? false;
  if (asked === undefined || asked === are) return are;
  throw new Error(
    'the nodes were made with K3s\n  next: npm run lab -- down\n        npm run lab -- up --bare',
  );
}

function otherVersion(node: string, found: string | undefined, asked: string): string {
  return [
    `${node} has containerd ${found ?? 'of an older lab'}, not ${asked}`,
    '  next: npm run lab -- down',
    `        npm run lab -- up --containerd ${asked}`,
  ].join('\n');
}

function told(task: Line, what: string): void {
  task.title = `${task.title}: ${what}`;
}
