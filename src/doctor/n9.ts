import { found, ok, onNodes, type Fix, type Problem } from './problem.ts';

/** Seconds; certificates and leases suffer from more. */
const TOLERANCE = 5;

const SYNCHRONISE: Fix = {
  consent: 'yours',
  actions: [
    {
      argv: ['sudo', 'timedatectl', 'set-ntp', 'true'],
      effect: 'on that node: its clock is set from the network and kept right',
      undo: 'sudo timedatectl set-ntp false',
    },
  ],
};

export const n9: Problem = {
  id: 'N9',
  title: 'the clock of a node is off',
  patterns: [/clock skew/i, /certificate.*not yet valid/i, /token used before issued/i],
  known:
    'Certificates seem to be of the future or the past, leases are lost and taken, and what happened first cannot be told from logs. Compared with the clock of this machine, less the time that asking took.',
  recognised: 'the clocks differ by more than 5 seconds',
  example: SYNCHRONISE,
  look: onNodes(({ machine: { clockAhead } }) => {
    const seconds = Math.round(Math.abs(clockAhead));
    if (Math.abs(clockAhead) <= TOLERANCE) return ok('as ours');
    return found(`${seconds} s ${clockAhead > 0 ? 'ahead of' : 'behind'} ours`, SYNCHRONISE);
  }),
};
