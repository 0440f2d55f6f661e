import { z } from 'zod';
import { readYaml } from '../core/yaml.ts';

const MAX_BYTES = 1024 * 1024;
const word = z.string().max(256);
const data = z.string().max(256 * 1024);

/** What a kubeconfig of a node may hold; whatever else is in it is left out. */
const kubeconfig = z.object({
  clusters: z
    .array(
      z.object({
        name: word,
        cluster: z.object({ server: z.url(), 'certificate-authority-data': data.optional() }),
      }),
    )
    .min(1),
  users: z.array(
    z.object({
      name: word,
      user: z.object({
        'client-certificate-data': data.optional(),
        'client-key-data': data.optional(),
        token: data.optional(),
        username: word.optional(),
        password: data.optional(),
      }),
    }),
  ),
  contexts: z.array(z.object({ name: word, context: z.object({ cluster: word, user: word }) })),
  'current-context': word.optional(),
});

type NodeKubeconfig = z.output<typeof kubeconfig>;

/**
 * Reads the kubeconfig that a node shows. A kubeconfig may name programs of this machine to run
 * (`exec`) and files of it to send (`tokenFile`, `client-key`): a node that is someone else's by now
 * must not have either, so only addresses, certificates, keys and tokens are taken from it.
 *
 * @returns undefined for what is no kubeconfig
 */
export function parseNodeKubeconfig(text: string): NodeKubeconfig | undefined {
  const read = readYaml(text, MAX_BYTES);
  if ('problems' in read) return undefined;
  const parsed = kubeconfig.safeParse(read.value);
  return parsed.success ? parsed.data : undefined;
}
