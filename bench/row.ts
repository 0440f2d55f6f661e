/** The words of the benchmark and the form of its results. */

export const SCENARIOS = ['cold', 'warm', 'noop'] as const;
export const TOOLS = ['ciliumship', 'procedure', 'pipe', 'registry'] as const;
export const LINKS = ['unshaped', '1gbit', '100mbit', '20mbit'] as const;

export type Scenario = (typeof SCENARIOS)[number];
export type Tool = (typeof TOOLS)[number];
export type Link = (typeof LINKS)[number];

/** What one run of a tool came to. */
export interface Sample {
  /** From the start of the process to the proof on the last node. */
  readonly seconds: number;
  /** What left this machine for the nodes, by the counter of the interface. */
  readonly bytes: number;
  /** Most memory that the tool's processes held at one time, together. */
  readonly rssMB: number;
  /** Processor time of the tool's processes. */
  readonly cpuSeconds: number;
  /** Processor time of everything that works for it: the tool, Docker and the nodes. */
  readonly allCpuSeconds: number;
  /** Whether Docker's own log of events says that an image was saved. */
  readonly dockerSave: boolean;
  /**
   * Less than this it cannot take: the longest of \`docker save\` alone, of what all processors
   * together need, and of the bytes on the link.
   */
  readonly floorSeconds: number;
}

/** The fields of a sample that have a middle. */
export type Figure = Exclude<keyof Sample, 'dockerSave'>;

/** Medians over the rounds of one tool, scenario and link. */
export interface Row extends Sample {
  readonly scenario: Scenario;
  readonly tool: Tool;
  readonly link: Link;
  readonly rounds: number;
  /** Version and image store: `20.10 classic`, `28 containerd`. */
  readonly docker: string;
}

export type Key = Pick<Row, 'scenario' | 'tool' | 'link' | 'docker'>;
