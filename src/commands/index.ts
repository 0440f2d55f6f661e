import { build } from './build.ts';
import type { AnyCommand } from './command.ts';
import { cniInstall } from './cni-install.ts';
import { cniStatus } from './cni-status.ts';
import { completion } from './completion.ts';
import { cniUninstall } from './cni-uninstall.ts';
import { config } from './config.ts';
import { deploy } from './deploy.ts';
import { doctor } from './doctor.ts';
import { driftRights } from './drift-rights.ts';
import { drift } from './drift.ts';
import { explain } from './explain.ts';
import { harden } from './harden.ts';
import { imagesPrune } from './images-prune.ts';
import { images } from './images.ts';
import { k3sInstall } from './k3s-install.ts';
import { k3sKubeconfig } from './k3s-kubeconfig.ts';
import { k3sUninstall } from './k3s-uninstall.ts';
import { lockRelease } from './lock-release.ts';
import { lockStatus } from './lock-status.ts';
import { init } from './init.ts';
import { preflight } from './preflight.ts';
import { push } from './push.ts';
import { receipt } from './receipt.ts';
import { report } from './report.ts';
import { reset } from './reset.ts';
import { rollback } from './rollback.ts';
import { save } from './save.ts';
import { ship } from './ship.ts';
import { status } from './status.ts';
import { validate } from './validate.ts';
import { values } from './values.ts';
import { version } from './version.ts';

/** Every command, in the order of the help. */
export const commands: readonly AnyCommand[] = [
  init,
  ship,
  build,
  push,
  save,
  deploy,
  validate,
  rollback,
  lockStatus,
  lockRelease,
  status,
  drift,
  driftRights,
  receipt,
  images,
  imagesPrune,
  preflight,
  harden,
  reset,
  k3sInstall,
  k3sUninstall,
  k3sKubeconfig,
  cniInstall,
  cniStatus,
  cniUninstall,
  doctor,
  explain,
  report,
  values,
  config,
  completion,
  version,
];
