import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import type { Platform } from '../core/image.ts';
import type { Run } from '../core/step.ts';

/** One image to build. */
export interface BuildRequest {
  /** Which of the config's images it is: `cilium`, `operator-generic`, … */
  readonly key: string;
  /** `REPO:TAG`, the tag that the build moves. */
  readonly name: string;
  /** Absolute path of the folder that is sent. */
  readonly context: string;
  /** Path inside the context, with `/`. */
  readonly dockerfile: string;
  readonly target?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: Platform;
  /** Files written into the context instead of those in the folder: path → text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Network of RUN steps; the engine's default when absent. */
  readonly network?: 'none' | 'host' | undefined;
}

/** What an engine says it built; a success only after it was inspected too. */
export interface Built {
  /** The id that the engine gave the image. */
  readonly id: Digest;
  /** Its config digest, where that may differ from the id (containerd image store). */
  readonly config?: Digest;
}

/** Something that turns a context into an image of the name `request.name`. */
export interface BuildEngine {
  readonly kind: 'docker-api' | 'buildx';
  /**
   * @param context tar of the build context; always read to its end or destroyed
   * @throws ShipError `build` with the failing step and its last lines, or that Docker went away,
   * stalled or ended without a result; the abort reason when `run.signal` ends it
   */
  build(request: BuildRequest, context: Readable, run: Run): Promise<Built>;
}

/** What Docker says about an image. */
export interface InspectedImage {
  readonly id: Digest;
  readonly diffIds: readonly Digest[];
  readonly platform: Platform;
  readonly size?: number;
}

/** The images in Docker. */
export interface DockerImages {
  /**
   * @returns undefined when Docker has no image of that name
   * @throws ShipError `build` when Docker cannot be asked
   */
  inspect(name: string, signal: AbortSignal): Promise<InspectedImage | undefined>;
}
