import { blobsOf } from '../../src/core/image.ts';
import type { Remote } from '../../src/core/remote.ts';
import type { Run } from '../../src/core/step.ts';
import type { CheckedName } from '../../src/facts/containerd.ts';
import type { NodeStore } from '../../src/facts/node-store.ts';
import type { SendWhole } from '../../src/import/decode.ts';
import { importStep } from '../../src/import/import.ts';
import { fakeNode, type Answer, type FakeNode } from './fake-node.ts';
import { EMPTY_NODE, nodeWith, shipImage } from './values.ts';

/** An import on a node that is not there, and what it asked of it, each command in a word or two. */

export const IMAGE = shipImage('cilium', ['base', 'agent']);
export const STAGING = `ciliumship.local/staging/${IMAGE.config.digest.slice(7, 19)}:t1`;
export const STAGED = {
  ref: STAGING,
  digest: IMAGE.manifest.digest,
  complete: true,
  unpacked: true,
} satisfies CheckedName;

/** What a command does, in a word or two. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^sudo sh -c .* decode /s, 'decode'],
  [/^sudo sh -c .* import /s, 'import'],
  [/^sudo sh -c .* end \S+ \S*\/\.\.$/s, 'end left'],
  [/^sudo sh -c .* end /s, 'end import'],
  [/ cat .*importing$/, 'look for killed'],
  [/ df -P -B1 /, 'look for room'],
  [/leases ls$/, 'list leases'],
  [/leases rm --sync /, 'drop lease'],
  [/^sudo sync$/, 'sync'],
  [/images tag --force /, 'tag'],
  [/images label .*pinned=pinned$/, 'pin'],
  [new RegExp(`images rm (${IMAGE.config.digest} )?${STAGING}$`), 'unstage'],
  [/^sudo rm -rf .*\/blobs$/, 'drop blobs'],
  [/^sudo rm -rf /, 'clean up'],
];

/** What changes nothing. */
export const LOOKS: ReadonlySet<string> = new Set(['look for killed', 'look for room']);

export function kindOf(command: string): string {
  return KINDS.find(([pattern]) => pattern.test(command))?.[1] ?? command;
}

/** For imports that ask for no layer again. */
export const sendWhole: SendWhole = async ({ digest }, why) => {
  throw new Error(`${digest} is wanted again: ${why}`);
};

const NEVER = new AbortController().signal;

/** What happens to an import beside what its node answers. */
interface Circumstances {
  readonly requireLock?: () => Promise<void>;
  readonly signal?: AbortSignal;
  /** How the node answers while it is ours. */
  readonly hold?: (node: FakeNode) => Remote;
}

/** What an import came to. */
interface Imported {
  readonly kinds: readonly string[];
  readonly outcome: unknown;
  readonly node: FakeNode;
  /** Why the node is to stay locked. */
  readonly kept: readonly unknown[];
}

/** Imports on a node whose containerd says this of the staged image, and whose commands answer so. */
export async function importOn(
  staged: CheckedName | undefined,
  answers: Readonly<Record<string, Answer | (() => Answer)>> = {},
  before: NodeStore | (() => NodeStore) = EMPTY_NODE,
  { requireLock = async () => {}, signal = NEVER, hold = (node) => node }: Circumstances = {},
): Promise<Imported> {
  let store: NodeStore | undefined;
  const now = (): NodeStore => store ?? (typeof before === 'function' ? before() : before);
  const kept: unknown[] = [];
  const node = fakeNode((command) => {
    const kind = kindOf(`sudo ${command}`);
    if (kind === 'import' && staged)
      store = { ...EMPTY_NODE, checked: new Map([[STAGING, staged]]) };
    if (kind === 'pin') store = nodeWith([IMAGE]);
    const answer = answers[kind];
    return typeof answer === 'function' ? answer() : answer;
  });
  const sent = blobsOf(IMAGE).map((blob) => ({ blob, form: 'zstd' as const }));
  const plan = { node: 'worker', images: [IMAGE], sent };
  const step = importStep(plan, {
    remote: hold(node),
    probe: async () => now(),
    token: 't1',
    maxRate: undefined,
    sendWhole,
    requireLock,
    unheld: node,
    keepLock: (why) => kept.push(why),
  });
  const run: Run = { signal, progress: () => undefined };
  const outcome: unknown = await step.run(run).catch((error: unknown) => error);
  const kinds = node.asked.map(kindOf).filter((kind) => !LOOKS.has(kind));
  return { kinds, outcome, node, kept };
}
