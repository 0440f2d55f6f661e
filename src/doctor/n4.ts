import { found, ok, onNodes, type Fix, type Problem } from './problem.ts';

const BPFFS = '/sys/fs/bpf';

/** `umount` takes away the topmost mount only. */
function unmount(above: number): Fix {
  return {
    consent: 'safe',
    withoutAgent: true,
    actions: Array.from({ length: above }, () => ({
      argv: ['umount', BPFFS] as const,
      effect:
        'what was pinned before it can be seen again; programs pinned in it alone are detached',
      undo: `mount -t bpf bpf ${BPFFS}`,
    })),
  };
}

const MOUNT: Fix = {
  consent: 'safe',
  actions: [
    {
      argv: ['mount', '-t', 'bpf', 'bpf', BPFFS],
      effect: 'programs can be pinned, and outlive the one that attached them',
      undo: `umount ${BPFFS}`,
    },
  ],
};

export const n4: Problem = {
  id: 'N4',
  title: 'a second bpffs is mounted over the first and hides its pins',
  patterns: [/\/sys\/fs\/bpf.*(mount|not.*bpffs)/i, /shadow(ed)? (bpffs|mount)/i],
  known:
    'A start-up script or container mounted /sys/fs/bpf once more. Agents pin into the new one and do not find their earlier links below it: these stay attached, nobody can see them, and programs are there twice (N5; cilium#47847). The upper mount has to go while no agent runs; then the agent is started.',
  recognised: '/proc/mounts lists /sys/fs/bpf more than once, or not at all',
  example: unmount(1),
  look: onNodes(({ machine }) => {
    const count = machine.bpfMounts.filter((path) => path === BPFFS).length;
    if (count === 1) return ok(`${BPFFS} is mounted once`);
    return count === 0
      ? found(`${BPFFS} is not mounted`, MOUNT)
      : found(`${BPFFS} is mounted ${count} times`, unmount(count - 1));
  }),
};
