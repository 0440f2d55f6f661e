/**
 * First kernel whose driver takes a native XDP program (the table in Cilium's documentation of XDP
 * acceleration). A driver that is not in it has none: attaching fails with
 * EOPNOTSUPP, and with `acceleration: native` the agent dies of it.
 */
const NATIVE_XDP: Readonly<Record<string, string>> = {
  bnxt_en: '4.11',
  ena: '5.6',
  hv_netvsc: '5.6',
  i40e: '4.13',
  iavf: '6.10',
  ice: '5.5',
  igb: '5.10',
  igc: '5.13',
  ixgbe: '4.12',
  ixgbevf: '4.17',
  mlx4_en: '4.8',
  mlx5_core: '4.9',
  mvneta: '5.5',
  nfp: '4.10',
  qede: '4.10',
  sfc: '5.5',
  stmmac: '5.13',
  thunderx: '4.12',
  tun: '4.14',
  veth: '4.19',
  virtio_net: '4.10',
  vmxnet3: '6.6',
};

/** True when a driver takes native XDP programs on a kernel; `kernel` as `uname -r` prints it. */
export function hasNativeXdp(driver: string, kernel: string): boolean {
  const since = NATIVE_XDP[driver];
  return since !== undefined && !isOlder(kernel, since);
}

/** Compares the first two numbers of two versions. */
export function isOlder(kernel: string, than: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = than.split('.').map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
