import { z } from 'zod';
import { RATE } from './rate.ts';
import { SIZE } from './size.ts';

const NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;
const INTERFACE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,14}$/;
/** A name of an image, with or without a tag. */
export const IMAGE = /^[a-z0-9][a-z0-9._/:-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,114}$/;
const SSH = /^([A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9[][A-Za-z0-9_.:[\]-]*$/;
const DURATION = /^\d{1,6}(ms|s|m|h)$/;

const name = z.string().regex(NAME, 'must be lowercase letters, digits, "-" and "."');
const networkInterface = z.string().regex(INTERFACE, 'is not the name of a network interface');
const cidr = z.union(
  [z.cidrv4(), z.cidrv6()],
  'must be an address with prefix length: 10.4.100.1/16',
);
const address = z.union([z.ipv4(), z.ipv6()], 'must be an IP address');
const duration = z.string().regex(DURATION, 'must be a duration such as 90s, 5m or 1h');
const rate = z.string().regex(RATE, 'must be a rate such as 20Mbit or 2.5MB');
const size = z.string().regex(SIZE, 'must be a size such as 500MB or 20GB');
const imageName = z.string().regex(IMAGE, 'is not an image reference');
const taggedImage = imageName.regex(/:[^/]+$/, 'needs a tag: REPO:TAG');
const file = z.string().min(1).max(4096);

const node = z
  .strictObject({
    ssh: z
      .string()
      .max(255)
      .regex(SSH, 'must be an ssh alias, HOST, USER@HOST or USER@HOST:PORT')
      .describe('ssh alias, HOST, USER@HOST or USER@HOST:PORT; resolved by ssh -G'),
    role: z.enum(['server', 'agent']).describe('K3s role of the node'),
    nodeName: name.optional().describe('Kubernetes name, when it differs from the key'),
    dataInterface: networkInterface.optional().describe('interface of the data network'),
    dataAddress: cidr.optional().describe('address on the data network with its prefix length'),
    externalAddress: address.optional().describe('address that users of the cluster see'),
    devices: z.array(networkInterface).min(1).max(16).optional().describe('interfaces for XDP'),
    profile: name.optional().describe('value of the label hw-profile; needed to set devices'),
  })
  .describe('a K3s machine reached over SSH');

const image = z
  .strictObject({
    name: imageName.describe('REPO without tag'),
    dockerfile: file.describe('path inside the source tree'),
    target: name.optional().describe('stage of the Dockerfile'),
    buildArgs: z.record(z.string(), z.string()).optional().describe('build arguments by name'),
    value: z
      .string()
      .regex(/^[A-Za-z0-9.]+$/)
      .optional()
      .describe('values key of the image block in the chart: image, operator.image'),
  })
  .describe('an image that is built from the source tree');

const build = z.strictObject({
  engine: z
    .enum(['auto', 'docker-api', 'buildx'])
    .default('auto')
    .describe('what drives the build; buildx can ask for registry credentials late'),
  idleTimeout: duration.default('15m').describe('a build that prints nothing for this long failed'),
});

const transfer = z.strictObject({
  concurrency: z.int().min(1).max(256).default(8).describe('nodes served at once'),
  compression: z
    .enum(['auto', 'zstd', 'gzip'])
    .default('auto')
    .describe('of layers on the wire; auto is zstd where both ends have it'),
  patch: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe('auto sends a layer as a patch of its earlier version where that is faster'),
  maxRate: rate.optional().describe('of the way out of this machine, shared by all nodes'),
  retry: duration
    .default('2m')
    .describe('how long an outage may last until a lost connection is given up'),
});

const imports = z.strictObject({
  maxRate: rate.optional().describe('of the stream into containerd on each node'),
  servers: z.int().min(1).max(16).default(1).describe('server nodes that import at once'),
});

const store = z.strictObject({
  maxSize: size
    .default('20GB')
    .describe('of the blob store of this machine; what was used longest ago goes first'),
});

const ssh = z.strictObject({
  hostKeys: z
    .enum(['strict', 'accept-new'])
    .default('strict')
    .describe('accept-new trusts an unknown key once; a changed key is always refused'),
});

const deploy = z.strictObject({
  chart: file
    .optional()
    .describe(
      'folder of the chart; default install/kubernetes/cilium of the tree. With chartVersion: its name in chartRepo, or oci://HOST/NAME',
    ),
  chartRepo: z.url().max(2048).optional().describe('repository of the chart, for helm --repo'),
  chartVersion: z
    .string()
    .regex(/^v?\d+\.\d+\.\d+([-+][\w.+-]+)?$/, 'must be one exact version such as 1.19.6')
    .optional()
    .describe('version of a chart that comes from a repository or a registry; exactly this one'),
  release: name.default('cilium').describe('name of the Helm release'),
  namespace: name.default('kube-system').describe('namespace of the release'),
  values: file.optional().describe('Helm values, relative to this file'),
  timeout: duration.default('5m').describe('for each node of a rollout'),
  soak: duration.default('5s').describe('an agent must stay ready for this long'),
  canary: name.optional().describe('node that is replaced first; default an agent node'),
  offline: z.boolean().default(true).describe('every image must be on the nodes beforehand'),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be the 64 hexadecimal digits of a sha256');
const setting = z.union(
  [z.string(), z.number(), z.boolean(), z.array(z.string())],
  'must be text, a number, true, false or a list of texts',
);
const settings = z.record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'is no setting of K3s'), setting);

const k3s = z.strictObject({
  version: z
    .string()
    .regex(/^v\d+\.\d+\.\d+\+k3s\d+$/, 'must be a release of K3s: v1.34.4+k3s1')
    .optional()
    .describe('release that k3s install brings to every node: v1.34.4+k3s1'),
  binary: file
    .optional()
    .describe(
      'its program, a path or URL; default from the release page, which needs binarySha256',
    ),
  binarySha256: sha256.optional().describe('of the program; a download needs it'),
  installer: file
    .optional()
    .describe('its install.sh, a path or URL; default of the release, which needs installerSha256'),
  installerSha256: sha256.optional().describe('of the installer; a download needs it'),
  kubeProxy: z
    .boolean()
    .optional()
    .describe('whether K3s runs kube-proxy; default unless the values replace it'),
  server: settings
    .default({})
    .describe('more settings of K3s on server nodes, as in its config.yaml'),
  agent: settings
    .default({})
    .describe('more settings of K3s on agent nodes, as in its config.yaml'),
  clusterCidr: cidr.default('10.42.0.0/16').describe('network of the pods'),
  serviceCidr: cidr.default('10.43.0.0/16').describe('network of the services'),
});

const hook = file.optional();
const hooks = z.strictObject({
  'before-push': hook.describe('asked before nodes are connected; stops the run when it fails'),
  'after-push': hook.describe('told that every node has proved every image'),
  'before-deploy': hook.describe('asked before the release changes; stops the run when it fails'),
  'after-deploy': hook.describe('told that the rollout ended well'),
  'on-failure': hook.describe('told that push, deploy or ship failed'),
  timeout: duration.default('5m').describe('for each of them'),
});

const sum = sha256.optional().describe('of the file; needed with a URL');
const pinned = file.describe('path, relative to this file, or URL');

const cni = z
  .strictObject({
    flannel: z
      .strictObject({ manifest: pinned, sha256: sum })
      .optional()
      .describe('manifest of Flannel, for cni install flannel'),
    antrea: z
      .strictObject({ manifest: pinned, sha256: sum })
      .optional()
      .describe('manifest of Antrea, for cni install antrea'),
    cilium: z
      .strictObject({
        chart: pinned.describe('folder or archive of a published chart: path or URL'),
        sha256: sum,
        values: file.optional().describe('Helm values over those that follow from this file'),
      })
      .optional()
      .describe('published chart of Cilium, for cni install cilium'),
    plugins: z
      .strictObject({ archive: pinned, sha256: sum })
      .optional()
      .describe('CNI plugins as a .tgz, for nodes without bridge, host-local, loopback, portmap'),
  })
  .describe('pinned manifests and charts of CNIs');

const route = z.strictObject({
  to: cidr.describe('network that the way leads to'),
  via: networkInterface.describe('interface of the node that it takes'),
  node: name.describe('node that has the way'),
});

/** The config file as written, before defaults that depend on other values are filled in. */
export const configSchema = z
  .strictObject({
    version: z.literal(1).describe('version of this file format'),
    source: file.describe('patched source tree; holds install/kubernetes/cilium'),
    tag: z.string().regex(TAG, 'is not an image tag').default('dev').describe('of built images'),
    platform: z
      .string()
      .regex(/^linux\/(amd64|arm64)$/, 'must be linux/amd64 or linux/arm64')
      .default('linux/amd64')
      .describe('platform of images and nodes: linux/amd64 or linux/arm64'),
    nodes: z
      .record(name, node)
      .refine((nodes) => Object.keys(nodes).length > 0, 'names no node')
      .refine((nodes) => Object.keys(nodes).length <= 256, 'names more than 256 nodes')
      .describe('the nodes of the cluster by name'),
    images: z
      .record(name, image)
      .optional()
      .describe('images to build; default agent and operator-generic of a Cilium tree'),
    extraImages: z
      .union([z.literal('auto'), z.array(taggedImage).max(64)])
      .default([])
      .describe(
        'shipped from Docker as they are; auto: whatever else the chart runs with your values, pulled where Docker lacks it',
      ),
    routes: z.array(route).default([]).describe('ways between data addresses that are not on-link'),
    build: build.prefault({}).describe('how images are built'),
    transfer: transfer.prefault({}).describe('how layers travel'),
    import: imports.prefault({}).describe('how nodes import'),
    store: store.prefault({}).describe('where layers are kept on this machine'),
    ssh: ssh.prefault({}).describe('how nodes are reached'),
    deploy: deploy.prefault({}).describe('how Helm rolls out'),
    hooks: hooks
      .prefault({})
      .describe('programs of yours, relative to this file; only run with --hooks run'),
    k3s: k3s.prefault({}).describe('how K3s is installed'),
    cni: cni.prefault({}).describe('what cni install installs'),
  })
  .describe('ciliumship.yaml');

export type ConfigFile = z.output<typeof configSchema>;
