import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Blob, BuiltImage, ShipImage } from '../../../src/core/image.ts';
import type { Run } from '../../../src/core/step.ts';
import { exportStep } from '../../../src/image/export.ts';
import { saveExporter, type ImageSaver } from '../../../src/image/export-save.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { unmoved } from '../../../src/image/unmoved.ts';
import { testFolder } from '../../support/folder.ts';
import { classic, manifest, tarOf, type Entry } from '../../support/saved-archive.ts';
import { digestOf } from '../../support/values.ts';

const RUN: Run = { signal: new AbortController().signal, progress: () => undefined };

/** @param written what Docker calls it */
function built(key: string, name = `quay.io/cilium/${key}:dev`, written = name): BuiltImage {
  const diffIds = layersOf(written).map(digestOf);
  return { key, name, id: digestOf(`id of ${name}`), diffIds, platform: 'linux/amd64' };
}

function layersOf(name: string): readonly string[] {
  return ['base', `programs of ${name}`];
}

/** A Docker whose images are their name over a common base, and that counts what it saves. */
function dockerThat(write: (name: string) => readonly Entry[] = saved) {
  const asked: (readonly string[])[] = [];
  const save = async (names: readonly string[]): Promise<Readable> => {
    asked.push(names);
    return Readable.from([await tarOf(together(names.map(write)))]);
  };
  return { asked, save } satisfies ImageSaver & { readonly asked: unknown };
}

function saved(name: string): readonly Entry[] {
  return classic({ name, layers: layersOf(name) });
}

/** Archives of one image each as one: every image in its own folder of layers. */
function together(archives: readonly (readonly Entry[])[]): readonly Entry[] {
  const lists = archives.map((entries, index) => {
    const [list] = JSON.parse(String(entries.at(-1)?.bytes)) as [{ Layers: string[] }];
    return { ...list, Layers: list.Layers.map((name) => `${index}${name}`) };
  });
  const files = archives.flatMap((entries, index) =>
    entries
      .slice(0, -1)
      .map((entry) =>
        /layer/.test(entry.name) ? { ...entry, name: `${index}${entry.name}` } : entry,
      ),
  );
  return [
    ...files,
    { ...manifest({ name: '' }, '', []), bytes: Buffer.from(JSON.stringify(lists)) },
  ];
}

let store: BlobStore;
beforeEach(async () => {
  store = await openStore(testFolder());
});

function stepOf(images: readonly BuiltImage[], docker: ImageSaver) {
  return exportStep(images, async () => saveExporter(docker), store);
}

const AGENT = built('cilium');
const OPERATOR = built('operator-generic');

function byKey(images: readonly ShipImage[]): readonly string[] {
  return images.map(({ key, digestName }) => `${key} ${digestName}`);
}

describe('an export', () => {
  test('saves all images in one go and gives each its second name', async () => {
    const docker = dockerThat();
    const images = await stepOf([AGENT, OPERATOR], docker).run(RUN);
    expect(docker.asked).toEqual([[AGENT.name, OPERATOR.name]]);
    for (const image of images) {
      expect(image.digestName).toBe(`${image.name}-${image.config.digest.slice(7, 19)}`);
    }
    expect(images.map(({ key }) => key)).toEqual(['cilium', 'operator-generic']);
    expect(images[0]?.layers[0]).toEqual(images[1]?.layers[0]);
  });

  test('is done when it was done before, without asking Docker', async () => {
    const docker = dockerThat();
    const step = stepOf([AGENT, OPERATOR], docker);
    expect(await step.done?.(RUN)).toBeUndefined();
    const first = await step.run(RUN);
    expect(byKey((await step.done?.(RUN)) ?? [])).toEqual(byKey(first));
    expect(docker.asked).toHaveLength(1);
  });

  test('saves again only the image that lost a blob', async () => {
    const docker = dockerThat();
    const step = stepOf([AGENT, OPERATOR], docker);
    const [, operator] = await step.run(RUN);
    await rm(store.path(operator?.config.digest ?? AGENT.id));
    expect(await step.done?.(RUN)).toBeUndefined();
    await step.run(RUN);
    expect(docker.asked[1]).toEqual([OPERATOR.name]);
  });

  test.each([
    ['docker.io/rancher/mirrored-pause:3.6', 'rancher/mirrored-pause:3.6'],
    ['docker.io/library/busybox:1', 'busybox:1'],
    ['busybox', 'busybox:latest'],
  ])('finds %s, which Docker calls %s', async (name, written) => {
    const docker = dockerThat(() => saved(written));
    const [image] = await stepOf([built('extra', name, written)], docker).run(RUN);
    expect(image?.name).toBe(name);
  });

  test.each([
    ['a layer is another', (name: string) => ['base', `newer ${name}`]],
    ['a layer is gone', (name: string) => layersOf(name).slice(0, 1)],
    ['a layer was added', (name: string) => [...layersOf(name), 'more']],
    ['layers changed places', (name: string) => layersOf(name).toReversed()],
  ])('fails when the tag moved before it was saved: %s', async (_, layers) => {
    const moved = (name: string): readonly Entry[] => classic({ name, layers: layers(name) });
    const exporting = stepOf([AGENT], dockerThat(moved)).run(RUN);
    await expect(exporting).rejects.toMatchObject({ kind: 'integrity', retryable: true });
    expect(await stepOf([AGENT], dockerThat()).done?.(RUN)).toBeUndefined();
  });

  test('fails when the tag moved to an image with the same layers', async () => {
    const docker = dockerThat();
    const ids = [AGENT.id, OPERATOR.id];
    const exporter = unmoved(saveExporter(docker), async () => ids.shift());
    const step = exportStep([AGENT], async () => exporter, store);
    await step.run(RUN);
    await rm(`${store.folder}/made`, { recursive: true });
    await mkdir(`${store.folder}/made`);
    await expect(step.run(RUN)).rejects.toMatchObject({ kind: 'integrity', retryable: true });
    expect(await step.done?.(RUN)).toBeUndefined();
  });

  test('tells of each new layer while the rest of the archive is still to come', async () => {
    const archive = await tarOf(saved(AGENT.name));
    const begun = Promise.withResolvers<void>();
    const stream = Readable.from(
      (async function* parts() {
        const [half, ...later] = [archive.subarray(0, 4096), archive.subarray(4096)];
        yield half;
        await begun.promise;
        yield* later;
      })(),
    );
    const landed: Blob[] = [];
    const step = exportStep(
      [AGENT],
      async () => saveExporter({ save: async () => stream }),
      store,
      {
        landed: (layer) => {
          landed.push(layer);
          begun.resolve();
        },
      },
    );
    const [image] = await step.run(RUN);
    expect(landed).toEqual(image?.layers);
  });

  test('F7: leaves a layer that came before the failure: another process may count on it', async () => {
    const archive = await tarOf(saved(AGENT.name));
    const stop = new AbortController();
    const stream = Readable.from(
      (async function* parts() {
        yield archive.subarray(0, 4096);
        await once(stop.signal, 'abort');
      })(),
    );
    const landed: Blob[] = [];
    const landedOne = (layer: Blob): void => {
      landed.push(layer);
      stop.abort(new Error('interrupted'));
    };
    const exporter = saveExporter({ save: async () => stream });
    const step = exportStep([AGENT], async () => exporter, store, { landed: landedOne });
    await expect(step.run({ ...RUN, signal: stop.signal })).rejects.toThrow('interrupted');
    expect(landed).toHaveLength(1);
    expect(await store.has(landed[0] as Blob)).toBe(true);
    expect(await readdir(`${store.folder}/scratch`)).toEqual([]);
  });

  test('fails when Docker sends another image, and leaves no files behind', async () => {
    const docker = dockerThat(() => saved('quay.io/cilium/other:dev'));
    const exporting = stepOf([AGENT], docker).run(RUN);
    await expect(exporting).rejects.toMatchObject({ kind: 'integrity', retryable: true });

    expect(await readdir(`${store.folder}/scratch`)).toEqual([]);
  });
});

describe('a layer that an archive brings again under its name', () => {
  /** Two versions of an image: the same base, and programs that are as long. */
  const versions = ['one', 'two'].map((text) => ({ name: AGENT.name, layers: ['base', text] }));
  const [first, second] = versions.map((content): BuiltImage => ({
    ...AGENT,
    id: digestOf(`id of ${content.layers[1]}`),
    diffIds: content.layers.map(digestOf),
  })) as [BuiltImage, BuiltImage];
  const stored = async (image: BuiltImage, entries: readonly Entry[]) =>
    stepOf(
      [image],
      dockerThat(() => entries),
    ).run(RUN);

  test('is not read again', async () => {
    await stored(first, classic({ name: AGENT.name, layers: ['base', 'one'] }));
    const other = classic({ name: AGENT.name, layers: ['base', 'other'] });
    const unread = other.map((entry) =>
      entry.name === 'layer0/layer.tar' ? { ...entry, bytes: Buffer.from('????') } : entry,
    );
    const image = { ...second, diffIds: ['base', 'other'].map(digestOf) };
    const [ship] = await stored(image, unread);
    expect(ship?.layers.map(({ digest }) => digest)).toEqual(image.diffIds);
  });

  test('is refused when its name stood for another one, and the run after that is whole', async () => {
    const [one, two] = versions.map((content) => classic(content)) as [
      readonly Entry[],
      readonly Entry[],
    ];
    await stored(first, one);
    await expect(stored(second, two)).rejects.toMatchObject({ kind: 'integrity' });
    const [ship] = await stored(second, two);
    expect(ship?.layers.map(({ digest }) => digest)).toEqual(second.diffIds);
  });
});
