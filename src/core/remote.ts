/** A command and its arguments. Nothing in it is ever interpreted by a shell. */
export type Argv = readonly [string, ...string[]];

export interface RunOptions {
  /** Run as root: `sudo -n --` unless the SSH user is root already. */
  readonly sudo?: boolean;
  /** Sent to standard input, which is then closed. */
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Milliseconds until the command is given up. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Exit codes that are answers rather than failures; 0 always is. */
  readonly accept?: readonly number[];
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Commands on one node. Output is limited in size; control characters are the caller's to escape. */
export interface Remote {
  readonly node: string;
  /**
   * Runs `argv` and resolves when it exited with 0 or an accepted code.
   *
   * @throws ShipError `network` when the connection or the deadline is lost, `identity` when sudo
   * refuses, `storage` for any other exit code
   */
  run(argv: Argv, options?: RunOptions): Promise<Finished>;
}

export interface WriteOptions {
  /** First byte to write, for a resumed file. */
  readonly start?: number;
  readonly mode?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds that the node may take to acknowledge the next byte. */
  readonly stallTimeout?: number;
  /** Called with the count of contiguous acknowledged bytes, including `start`. */
  readonly onAcknowledged?: (bytes: number) => void;
}

/** Files on one node, as the SSH user. */
export interface RemoteFiles {
  readonly node: string;
  /**
   * Writes `source` to `path` with pipelined writes at explicit offsets; the file is created with
   * O_EXCL unless `start` is given, and fsynced before this resolves.
   *
   * @throws ShipError `network`, or `storage` with free and needed space
   */
  write(path: string, source: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<number>;
  /** Replaces `to` when it is there. @throws ShipError as `write` */
  rename(from: string, to: string): Promise<void>;
  /** @throws ShipError as `write` */
  remove(path: string): Promise<void>;
  /** Size in bytes, or undefined when there is no such file. @throws ShipError as `write` */
  size(path: string): Promise<number | undefined>;
}
