import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseLock } from '../../../src/commands/shared/lock-file.ts';
import { lockText } from '../../../src/drift/lock-file.ts';
import { testContext } from '../../support/context.ts';
import { testFolder } from '../../support/folder.ts';
import { shipImage } from '../../support/values.ts';

const BEFORE = shipImage('cilium', ['base', 'before']);
const NEWER = shipImage('cilium', ['base', 'newer']);

/** A folder in which this was shipped last. */
function shipped({ key, name, digestName, config, manifest }: typeof BEFORE): string {
  const folder = testFolder();
  const image = { name, digestName, config: config.digest, manifest: manifest.digest, layers: [] };
  const text = lockText({ version: 1, images: { [key]: image }, nodes: [] });
  writeFileSync(join(folder, 'ciliumship.lock'), text);
  return folder;
}

test('a deploy that waited for another run does not take its images back', async () => {
  const { context } = testContext(shipped(NEWER));
  await expect(releaseLock.requireSame(context, [BEFORE])).rejects.toMatchObject({
    kind: 'locked',
    details: [BEFORE.name],
  });
  await expect(releaseLock.requireSame(context, [NEWER])).resolves.toBeUndefined();
});
