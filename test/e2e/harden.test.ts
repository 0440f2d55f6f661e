import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareLab } from '../support/bare-lab.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';
import { quickestOf } from '../support/quickest.ts';

/** Machines of its own, before there is any K3s on them. */

const missing =
  onlyInAll('it makes a lab of its own') ?? (await missingPart('the lab', requireLab));
const lab = bareLab('bare');

function run(...args: readonly string[]): Promise<Ended> {
  return ciliumship(args, { env: lab.env });
}

const onWorker = (script: string): Promise<string> => lab.onNode('worker', 'sh', '-c', script);
const groOfWorker = (): Promise<string> => onWorker('ethtool -k eth1 | grep ^generic-receive');
const IFCFG = '/etc/sysconfig/network/ifcfg-eth1';

/** A driver whose reset takes the link of our SSH session down, until it is set back. */
const FATAL_ETHTOOL = `cat > /usr/local/sbin/ethtool <<'END'
#!/bin/sh
/usr/sbin/ethtool "$@" || exit
case "$*" in "-K eth1 gro off") ip link set em2 down ;; "-K eth1 gro on") ip link set em2 up ;; esac
END
chmod 0755 /usr/local/sbin/ethtool; /usr/sbin/ethtool -K eth1 gro on`;

describe.skipIf(missing !== undefined)('bare machines', () => {
  beforeAll(() => lab.up());
  afterAll(() => lab.down());

  it('are looked at in three seconds at most', async () => {
    const { look, most } = await quickestOf('preflight', lab.env, [3]);
    expect(look).toBeLessThan(most);
  });

  it('F45: a node that a change cuts off undoes it by itself', async () => {
    await onWorker(FATAL_ETHTOOL);
    const cut = await run('harden', '--gro', 'off', '--nodes', 'worker', '--dead-man', '4s');
    expect(cut.code, cut.stderr).toBe(5);
    expect(cut.stderr).toContain('the node undoes it within 4 s');
    await until('the node has undone it', 20, async () => (await groOfWorker()).endsWith(': on'));
    await onWorker('rm /usr/local/sbin/ethtool');
    await until('the worker answers again', 30, async () => (await run('preflight')).code !== 5);
  });

  it('E2: harden shows before and after, and has nothing to do a second time', async () => {
    const first = await run('harden', '--gro', 'off', '--persist', '-o', 'json');
    expect(first.code, first.stderr).toBe(0);
    expect(await groOfWorker()).toContain(': off');
    expect(await onWorker('cat /etc/systemd/network/*')).toContain('GenericReceiveOffload=false');
    expect(await onWorker('systemctl list-timers --all')).not.toContain('ciliumship');
    const again = await run('harden', '--gro', 'off', '-o', 'json');
    const [, worker] = again.json() as { settings: { before: string; after: string }[] }[];
    expect(worker?.settings.every(({ before, after }) => before === after)).toBe(true);
    const written = (): Promise<string> => onWorker('stat -c "%i %y" /etc/systemd/network/*');
    const before = await written();
    const kept = await run('harden', '--gro', 'off', '--persist', '-o', 'json');
    expect(kept.json()).toMatchObject([{ persisted: [] }, { persisted: [] }]);
    expect(await written()).toBe(before);
  });

  it('where wicked runs its ifcfg file gets the settings, beside what is in it', async () => {
    // A unit of its name: the file is what wicked reads, as variables of a shell.
    await onWorker(
      `mkdir -p /etc/sysconfig/network; printf "BOOTPROTO='static'\\nMTU='1500'\\n" > ${IFCFG}; systemd-run --quiet --unit=wicked sleep infinity; ethtool -K eth1 gro on`,
    );
    const kept = await run('harden', '--gro', 'off', '--persist', '--nodes', 'worker');
    expect(kept.code, kept.stderr).toBe(0);
    expect(kept.stdout).toContain(`lines to ${IFCFG}`);
    expect(await onWorker(`head -n 2 ${IFCFG}`)).toBe("BOOTPROTO='static'\nMTU='1500'");
    await onWorker(
      `ethtool -K eth1 gro on; . ${IFCFG}; for name in $(sed -n 's/^\\(ETHTOOL_OPTIONS_[^=]*\\)=.*/\\1/p' ${IFCFG}); do eval "ethtool \\$$name"; done`,
    );
    expect(await groOfWorker()).toContain(': off');
    const again = await run('harden', '--gro', 'off', '--persist', '--nodes', 'worker');
    expect(again.stdout).not.toContain(IFCFG);
    await onWorker('systemctl stop wicked; rm -r /etc/sysconfig');
  });
});
