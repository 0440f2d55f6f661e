import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TREE } from '../../lab/files.ts';
import { TAG } from '../../lab/settings.ts';
import { ciliumship } from '../support/cli.ts';
import { commandOf, look, statesOf, type Found } from '../support/found.ts';
import { changedConfig, kubectl, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';

/** The chart of one version and an operator that was built from a tree of another. */

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const OPERATOR = 'quay.io/cilium/operator-generic';
const OLDER = `${TAG}-older`;

/** Up to 1.18 the interval was a number, and the operator ends at anything else. */
const WATCHER = `package main

import (
	"fmt"
	"strconv"
)

func readWatcherInterval(text string) error {
	if _, err := strconv.ParseInt(text, 10, 64); text != "" && err != nil {
		return fmt.Errorf("option unmanaged-pod-watcher-interval: unable to cast %q of type string to int64", text)
	}
	return nil
}
`;

/** A config that builds the operator of 1.18 and deploys the chart of 1.19. */
function olderConfig(): string {
  const tree = join(mkdtempSync(join(tmpdir(), 'ciliumship-older-')), 'tree');
  cpSync(TREE, tree, { recursive: true });
  writeFileSync(join(tree, 'VERSION'), '1.18.6\n');
  writeFileSync(join(tree, 'operator', 'watcher.go'), WATCHER);
  const image = `{ name: ${OPERATOR}, dockerfile: images/operator/Dockerfile, target: release, buildArgs: { OPERATOR_VARIANT: operator-generic }, value: operator.image }`;
  return changedConfig((text) =>
    text
      .replace(/^source: .*$/m, `source: ${tree}`)
      .replace(/^tag: .*$/m, `tag: ${OLDER}\nimages: { operator: ${image} }`)
      .replace('deploy:', `deploy:\n  chart: ${TREE}/install/kubernetes/cilium`),
  );
}

const proof = (found: Found, id: string): string =>
  `${found.get(id)?.state}: ${found.get(id)?.proof}`;

describe.skipIf(missing !== undefined)('doctor, of parts of different versions', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
  afterAll(async () => {
    if (missing !== undefined) return;
    await ciliumship(['ship', '--force-conflicts'], { env });
    await execa('docker', ['image', 'rm', '--force', `${OPERATOR}:${OLDER}`], { reject: false });
  });

  it('E13, N7: sees an operator of 1.18 that ends at what a chart of 1.19 sets, and nothing once both are of one tree', async () => {
    const older = labEnvironment(olderConfig());
    const pushed = await ciliumship(['push'], { env: older });
    expect(pushed.code, pushed.stderr).toBe(0);
    // ciliumship refuses to deploy it; by hand it goes.
    const refused = await ciliumship(['deploy'], { env: older });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/shipped operator is 1\.18\.6, the chart 1\.19\S* \(E13\)/);
    const image = `cilium-operator=${OPERATOR}:${OLDER}`;
    await kubectl('-n', 'kube-system', 'set', 'image', 'deployment/cilium-operator', image);

    const found = await until('the operator has ended', 60, async () => {
      const seen = await look(['E13', 'N7'], older);
      return seen.get('E13')?.state === 'found' ? seen : undefined;
    });
    expect(proof(found, 'E13')).toMatch(
      /unmanaged-pod-watcher-interval: unable to cast .*15s.* of type string to int64/,
    );
    expect(proof(found, 'N7')).toBe('found: chart 1.19.0-dev, tree 1.18.6');
    const line = found.get('E13')?.proof ?? '';
    expect((await ciliumship(['doctor', '--match', line], { env })).stdout).toMatch(/^E13 /);

    expect(commandOf(found, 'E13')).toBe('ciliumship ship');
    expect(commandOf(found, 'N7')).toBe('ciliumship deploy');
    const fixed = await ciliumship(['ship', '--force-conflicts'], { env });
    expect(fixed.code, fixed.stderr).toBe(0);
    expect(statesOf(await look(['E13', 'N7', 'E5', 'K4'], env))).toEqual([
      'E13 ok',
      'E5 ok',
      'K4 ok',
      'N7 ok',
    ]);
  });
});
