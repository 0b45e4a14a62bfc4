import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TokenCredential } from '@azure/identity';
import { type Certificate, selfSigned } from '../storage/certificate.ts';
import { admit, admitTemplate, token } from './arm-admission.ts';
import { Execution, type Runner } from './arm-execution.ts';
import { type Asked, type Fault, type Refusal, Refused, Violation } from './arm-fault.ts';
import { actionOf, apiVersion, type Operation, type Route, route } from './arm-schema.ts';

/** Azure's management for Container Apps Jobs, on this machine: checks every request, and runs what it starts. */
export class Arm {
  readonly subscription = '34adfa4f-cedf-4dc0-ba29-b6d1a69ab345';
  readonly group = 'rg-lamp';
  /** Deployed jobs: name of the resource → its secrets and their values. */
  readonly jobs = new Map<string, Record<string, string>>();
  /** What the role of the asker allows. Reading the state of operations is not among it. */
  readonly allowed = new Set<string>(Object.values(actionOf).filter((action) => action !== actionOf.poll));
  readonly executions: Execution[] = [];
  readonly asked: Asked[] = [];
  /** Requests that broke Microsoft's specification. */
  readonly violations: string[] = [];
  /** How a start is answered: 200 with the execution; 202 with a place to ask, with or without the execution. */
  accepts: 'done' | 'accepted' | 'accepted and named' = 'done';
  pageSize = 100;
  /** Whether exit codes are reported. */
  details = true;
  /** Listings that do not show a new execution yet. */
  lag = 0;
  /** Decides for each request what fails with it; those of `once` come first. */
  fault: (operation: Operation, job: string) => Fault | undefined = () => undefined;
  private readonly next: { operation: Operation; fault: Fault }[] = [];
  private readonly runner: Runner;
  private readonly server: Server;
  private readonly certificate: Certificate = selfSigned();

  private constructor(runner: Runner) {
    this.runner = runner;
    const { key, cert } = this.certificate;
    this.server = createServer({ key, cert }, (request, response) => {
      this.handle(request, response).catch((error) => response.destroy(error));
    });
  }

  static async open(runner: Runner, jobs: Record<string, Record<string, string>> = {}): Promise<Arm> {
    const arm = new Arm(runner);
    for (const [name, secrets] of Object.entries(jobs)) arm.jobs.set(name, secrets);
    await new Promise<void>((resolve) => arm.server.listen(0, '127.0.0.1', resolve));
    return arm;
  }

  get endpoint(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What the executor needs in order to reach it. */
  get access() {
    const credential: TokenCredential = {
      getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const { subscription, group: resourceGroup, endpoint } = this;
    return {
      credential,
      subscription,
      resourceGroup,
      endpoint,
      transport: { tlsOptions: { ca: this.certificate.cert } },
    };
  }

  /** The next such requests meet these faults, one each. */
  once(operation: Operation, ...faults: Fault[]): void {
    this.next.push(...faults.map((fault) => ({ operation, fault })));
  }

  /** Requests so far. */
  count(operation: Operation): number {
    return this.asked.filter((one) => one.operation === operation).length;
  }

  /** Azure's history loses an execution. */
  forget(name: string): void {
    const index = this.executions.findIndex((execution) => execution.name === name);
    if (index >= 0) this.executions.splice(index, 1);
  }

  /** Stops what still runs. */
  async close(): Promise<void> {
    for (const execution of this.executions) execution.stop();
    await Promise.all(this.executions.map(({ over }) => over));
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    await this.certificate.remove();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.endpoint);
    const found = route(request.method ?? '', url.pathname);
    const asked: Asked = { operation: found?.operation ?? null, path: `${request.method} ${url.pathname}`, status: 0 };
    this.asked.push(asked);
    const body = await text(request);
    const fault = found && this.faultFor(found);
    const before = fault?.done === false;
    const answer =
      before && typeof fault.answer === 'object' ? of(fault.answer) : this.answer(found, request, body, before);
    if (fault?.answer === 'never') return;
    if (fault?.answer === 'lost') {
      response.destroy();
      return;
    }
    const { status, headers, content } = fault ? of(fault.answer) : answer;
    asked.status = status;
    response.writeHead(status, headers).end(content);
  }

  private faultFor({ operation, job }: Route): Fault | undefined {
    const index = this.next.findIndex((one) => one.operation === operation);
    return index >= 0 ? this.next.splice(index, 1)[0]?.fault : this.fault(operation, job);
  }

  private answer(found: Route | undefined, request: IncomingMessage, body: string, only: boolean): Answer {
    const url = new URL(request.url ?? '', this.endpoint);
    try {
      if (!found) throw new Violation(404, 'InvalidResourceType', `${request.method} ${url.pathname} is not of jobs`);
      admit(found, request.headers, url.searchParams, this);
      return only ? json(200) : this.act(found, body, url);
    } catch (error) {
      if (error instanceof Violation) this.violations.push(error.message);
      if (error instanceof Refused) return of(error.refusal);
      throw error;
    }
  }

  /** Does what is asked. */
  private act({ operation, job, execution: name }: Route, body: string, url: URL): Answer {
    const scope = `/subscriptions/${this.subscription}`;
    const id = ({ launched }: Execution) => {
      return `${scope}/resourceGroups/${this.group}/providers/Microsoft.App/jobs/${launched.job}/executions/${launched.name}`;
    };
    const base = (execution: Execution) => ({ id: id(execution), name: execution.name });
    const full = (execution: Execution) => execution.resource(id(execution), this.details);
    const monitor = (execution: Execution) => {
      const place = `${this.endpoint}${scope}/providers/Microsoft.App/locations/westeurope`;
      const location = `${place}/containerappsjoboperationresults/${execution.name}?api-version=${apiVersion}`;
      return { location, 'retry-after': '1' };
    };
    if (operation === 'start') {
      const secrets = this.jobs.get(job) ?? {};
      const execution = new Execution(job, admitTemplate(body, secrets), secrets, this.runner, this.lag);
      this.executions.push(execution);
      if (this.accepts === 'done') return json(200, base(execution));
      return json(202, this.accepts === 'accepted' ? undefined : base(execution), monitor(execution));
    }
    if (operation === 'list') {
      // Oldest first, so that no one relies on the contrary.
      const from = Number(url.searchParams.get('$skipToken') ?? 0);
      const all = this.executions.filter((execution) => execution.launched.job === job && execution.shows(from === 0));
      const end = from + this.pageSize;
      const nextLink = `${this.endpoint}${url.pathname}?api-version=${apiVersion}&$skipToken=${end}`;
      return json(200, { value: all.slice(from, end).map(full), ...(end < all.length && { nextLink }) });
    }
    const found = this.executions.find((one) => one.name === name && (one.launched.job === job || job === ''));
    if (!found) throw new Refused(404, 'JobExecutionNotFound', `The job execution '${name}' was not found.`);
    if (operation === 'poll') return json(200, base(found));
    if (operation === 'get') return json(200, full(found));
    found.stop();
    return json(202, undefined, monitor(found));
  }
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  content: string | undefined;
}

function json(status: number, body?: unknown, headers: Record<string, string> = {}): Answer {
  const content = body === undefined ? undefined : JSON.stringify(body);
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, content };
}

function of({ status, code, message = '', headers = {} }: Refusal): Answer {
  if (code === undefined) return { status, headers: { 'content-type': 'text/html', ...headers }, content: message };
  return json(status, { error: { code, message } }, headers);
}
