import { randomBytes } from 'node:crypto';
import type { ExecutionResource, ExecutionTemplate, RunningState } from './arm-schema.ts';

/** How a container ended, and what Azure says of it beyond the exit code. */
export interface Exit {
  code: number;
  reason?: string;
  message?: string;
}

/** What a runner gets: the container as it is to be run, secrets filled in. */
export interface Launched {
  job: string;
  name: string;
  image: string;
  env: Record<string, string>;
  cpu: number;
  memory: string;
}

/** Runs one execution to its end. Must end soon after `stopped` is aborted. */
export type Runner = (execution: Launched, stopped: AbortSignal) => Promise<Exit>;

/** One execution, which runs whatever the answer to its start was. */
export class Execution {
  readonly launched: Launched;
  readonly template: ExecutionTemplate;
  readonly over: Promise<void>;
  /** What Azure goes on saying, whatever has happened; undefined: the truth. */
  stuck: RunningState | undefined;
  state: RunningState = 'Running';
  exit: Exit | undefined;
  private readonly startTime = new Date();
  private endTime: Date | undefined;
  private readonly stopping = new AbortController();
  private hidden: number;

  constructor(job: string, template: ExecutionTemplate, secrets: Record<string, string>, runner: Runner, hidden = 0) {
    const [container] = template.containers;
    if (!container) throw new Error('a template without container');
    const env = (container.env ?? []).map(({ name, value, secretRef }) => [name, value ?? secrets[secretRef ?? '']]);
    this.launched = {
      job,
      name: `${job}-${randomBytes(4).toString('hex').slice(0, 7)}`,
      image: container.image,
      env: Object.fromEntries(env),
      cpu: container.resources?.cpu ?? 0,
      memory: container.resources?.memory ?? '',
    };
    this.template = template;
    this.hidden = hidden;
    this.over = runner(this.launched, this.stopping.signal).then(
      (exit) => this.end(exit),
      (error) => this.end({ code: 1, reason: 'ContainerStartError', message: String(error) }),
    );
  }

  get name(): string {
    return this.launched.name;
  }

  /** Whether a listing reports it; the first this many do not, as Azure's history lags behind. @param first page of it */
  shows(first: boolean): boolean {
    return (first ? this.hidden-- : this.hidden + 1) <= 0;
  }

  stop(): void {
    this.stopping.abort();
  }

  private end(exit: Exit): void {
    this.exit = exit;
    this.endTime = new Date();
    this.state = this.stopping.signal.aborted ? 'Stopped' : exit.code === 0 ? 'Succeeded' : 'Failed';
  }

  /** As Azure says it. @param details whether it fills in exit codes, which it does not always */
  resource(id: string, details: boolean): ExecutionResource {
    const { exit, name } = this;
    const status = this.stuck ?? this.state;
    const reported = exit !== undefined && this.stuck === undefined;
    const containers = [{ name: 'job', code: exit?.code ?? 0, status: exit?.code === 0 ? 'Completed' : 'Error' }];
    return {
      id,
      name,
      type: 'Microsoft.App/jobs/executions',
      properties: {
        status,
        startTime: this.startTime.toISOString(),
        ...(reported && this.endTime && { endTime: this.endTime.toISOString() }),
        template: this.template,
        ...(reported && exit.reason !== undefined && { reason: exit.reason }),
        ...(reported && exit.message !== undefined && { message: exit.message }),
        ...(reported && details && { detailedStatus: { replicas: [{ name: `${name}-x`, containers }] } }),
      },
    };
  }
}
