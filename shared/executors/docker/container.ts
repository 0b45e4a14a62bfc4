import type { ContainerCreateOptions } from 'dockerode';
import type { Job } from '../../job/job.ts';
import type { AttemptId } from '../../store/attempts.ts';

/** What an attempt may use up. */
export type Limits = Pick<Job, 'cpu' | 'memoryBytes' | 'scratchBytes' | 'pids' | 'network' | 'graceMs'>;

export interface Placement {
  image: string;
  /** Which installation on this machine it belongs to: letters and digits. */
  home: string;
  /** The process that starts it; see processHandle. */
  host: string;
  /** Of this machine's disk, seen at `insideFolder`: the attempt's own folder; null: nothing. */
  mount: string | null;
  /** `uid:gid`, never root. */
  user: string;
}

export const label = {
  home: 'lamplighter.home',
  host: 'lamplighter.host',
  job: 'lamplighter.job',
  run: 'lamplighter.run',
  attempt: 'lamplighter.attempt',
} as const;

/** Where a container sees what is mounted. */
export const insideFolder = '/run/lamplighter';
/** As in infra/runtime/Dockerfile; given here too, so that no image can make it root. */
export const usualUser = '10001:10001';
/** Five times the usual: the start of Python must not wait for its share of the next period. */
const cpuPeriodUs = 500_000;

/** One name per attempt, so that the daemon refuses to make it a second time. */
export function containerName(home: string, { job, run, attempt }: AttemptId): string {
  return `lamp-${home}-${job}-${run}-${attempt}`;
}

/** The attempt that a container's labels speak of; undefined: they are not ours. */
export function attemptOf(labels: Record<string, string | undefined>): AttemptId | undefined {
  const { [label.job]: job, [label.run]: run, [label.attempt]: attempt } = labels;
  return job && run && attempt ? { job, run, attempt: Number(attempt) } : undefined;
}

/** Everything that the daemon is reported about an attempt; nothing secret, as anyone who may inspect containers reads it. */
export function containerOptions(id: AttemptId, limits: Limits, place: Placement): ContainerCreateOptions {
  return {
    name: containerName(place.home, id),
    Image: place.image,
    User: place.user,
    Labels: {
      [label.home]: place.home,
      [label.host]: place.host,
      [label.job]: id.job,
      [label.run]: id.run,
      [label.attempt]: `${id.attempt}`,
    },
    // The specification comes on stdin; what the shim cannot deliver it says on stderr.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: false,
    AttachStderr: true,
    Tty: false,
    // For a machine that goes down: the shim ends the job, and then delivers.
    StopSignal: 'SIGTERM',
    StopTimeout: Math.ceil(limits.graceMs / 1_000) + 20,
    HostConfig: {
      ReadonlyRootfs: true,
      // Written files lie in memory and count against its limit. exec: environments and scripts are run from there.
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${limits.scratchBytes}` },
      Binds: place.mount === null ? [] : [`${place.mount}:${insideFolder}:rw`],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      IpcMode: 'private',
      Memory: limits.memoryBytes,
      // The same: no swap on top.
      MemorySwap: limits.memoryBytes,
      // Not NanoCpus: the daemon refuses more of those than the machine has.
      CpuPeriod: cpuPeriodUs,
      CpuQuota: Math.round(limits.cpu * cpuPeriodUs),
      PidsLimit: limits.pids,
      Ulimits: [
        { Name: 'nofile', Soft: 1_024, Hard: 4_096 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      NetworkMode: limits.network,
      LogConfig: { Type: 'none', Config: {} },
      // The shim is the first process: it buries orphans and hears signals.
      Init: false,
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
    },
  };
}
