import type { Ending } from '../deploy/ends.ts';
import { count } from '../words.ts';
import type { ContainerJob, Rule } from './azure.ts';
import { type Finding, found, note, right, wrong } from './finding.ts';

/** What the package registers (functions/index.ts). */
export const functionNames = ['tick', 'watch', 'launch', 'daily', 'http'];

/** @param names as Azure lists them, `<app>/<function>` */
export function functionFindings(listed: { name: string; isDisabled?: boolean | null | undefined }[]): Finding[] {
  const there = new Map(listed.map(({ name, isDisabled }) => [name.split('/').at(-1), isDisabled === true]));
  const redeploy =
    'lamp deploy --from app; still so: the log of the app says why its entry file failed (docs/deploy.md)';
  const problems = functionNames.flatMap((name) => {
    if (!there.has(name)) return [wrong('functions', `${name} is not registered`, redeploy)];
    const remedy = `remove the setting AzureWebJobs.${name}.Disabled from the app`;
    return there.get(name) ? [wrong('functions', `${name} is switched off`, remedy)] : [];
  });
  return found('functions', problems, `${functionNames.join(', ')} are registered`);
}

/** Known ends of what is used: a note from a year before, wrong from the day on. */
export function endFindings(all: Ending[]): Finding[] {
  const problems = all.map(({ state, text, end }) =>
    state === 'over' ? wrong('ends', text, end.remedy) : note('ends', text, end.remedy),
  );
  return found('ends', problems, 'nothing that is used ends within a year');
}

export interface Authentication {
  enabled: boolean;
  required: boolean;
  open: string[];
}

/**
 * What may come without a token: the shim's nudge and the links of alerts, which carry signatures, the pings of external
 * jobs, which carry a key, and `/admin`, which the host guards by its master key. Without that func calls an upload that went well unhealthy.
 */
export const openPaths = ['/api/finish', '/api/alerts/*', '/api/ping/*', '/admin/*'];

export function authenticationFindings({ enabled, required, open }: Authentication): Finding[] {
  const check = 'authentication';
  const problems: Finding[] = [];
  const remedy = 'lamp deploy --from jobs sets it as infra/ has it';
  if (!enabled || !required)
    problems.push(wrong(check, 'Entra authentication is not required in front of the app', remedy));
  const more = open.filter((path) => !openPaths.includes(path));
  if (!open.includes('/admin/*'))
    problems.push(wrong(check, '/admin/* wants a token as well, so func calls each upload unhealthy', remedy));
  if (more.length > 0) problems.push(wrong(check, `${more.join(', ')} can be called without a token`, remedy));
  return found(
    check,
    problems,
    'required; open are only /api/finish and /api/alerts, which carry signatures, /api/ping, which wants the key of a job, and /admin, which wants the master key',
  );
}

/** @param status of a call without a token; null: no answer */
export function refusalFinding(path: string, status: number | null): Finding {
  if (status === 401) return right('authentication', `${path} without a token is refused with 401`);
  if (status === null)
    return {
      check: 'authentication',
      state: 'unknown',
      text: `${path} does not answer`,
      remedy: 'look whether the app runs: az functionapp show, state',
    };
  const remedy =
    status < 400
      ? 'stop the app until this is fixed: az functionapp stop; then lamp deploy --from jobs'
      : 'a refusal by Entra authentication is a 401: look at the authentication of the app in the portal';
  return wrong('authentication', `${path} without a token is answered with ${status}`, remedy);
}

export function imageFindings(setting: string | undefined, jobs: ContainerJob[]): Finding[] {
  const remedy = 'lamp deploy --from image sets the same image everywhere';
  if (setting === undefined || !/@sha256:[0-9a-f]{64}$/.test(setting)) {
    return [wrong('image', `LAMPLIGHTER_IMAGE is ${setting ? 'not an image by its digest' : 'not set'}`, remedy)];
  }
  if (jobs.length === 0)
    return [wrong('image', 'there are no Container Apps Jobs', 'lamp deploy --from jobs makes them')];
  const problems = jobs.flatMap(({ name, properties }) => {
    const images = properties.template.containers.map(({ image }) => image);
    return images.every((image) => image === setting)
      ? []
      : [wrong('image', `${name} has ${images.join(', ')}, and the app ${setting}`, remedy)];
  });
  return found('image', problems, `the app and ${jobs.length} jobs have ${setting.split('@')[1]?.slice(0, 19)}…`);
}

/**
 * Azure makes an action group of its own, "Application Insights Smart Detection", which says nothing of jobs: only ours
 * counts, and only when rules that are on send to it.
 * @param name of our action group
 */
export function channelFindings(groups: Record<string, unknown>[], rules: Rule[], name: string): Finding[] {
  const check = 'channels';
  const remedy = 'lamp deploy --from jobs --alert-emails <addresses> makes it';
  const ours = groups.find((group) => String(group.name).toLowerCase() === name.toLowerCase());
  if (!ours) return [wrong(check, `there is no action group ${name}: no one gets an alert`, remedy)];
  const problems: Finding[] = [];
  if (ours.enabled !== true) problems.push(wrong(check, `the action group ${name} is switched off`, remedy));
  if (receivers(ours) === 0) problems.push(wrong(check, `the action group ${name} has no receiver`, remedy));
  const id = String(ours.id).toLowerCase();
  const sending = rules.filter(({ properties }) =>
    (properties.actions?.actionGroups ?? []).some((one) => one.toLowerCase() === id),
  );
  const off = sending.filter(({ properties }) => !properties.enabled);
  if (sending.length === 0) problems.push(wrong(check, `no alert rule sends to ${name}`, 'lamp deploy --from jobs'));
  if (off.length > 0) {
    const names = off.map((one) => one.name).join(', ');
    problems.push(
      wrong(check, `alert rules are switched off: ${names}`, 'alertsEnabled in infra/, then lamp deploy --from jobs'),
    );
  }
  return found(
    check,
    problems,
    `${count(sending.length, 'alert rule')} send to ${count(receivers(ours), 'receiver')} of ${name}`,
  );
}

function receivers(group: Record<string, unknown>): number {
  const lists = Object.entries(group).filter(([name, value]) => name.endsWith('Receivers') && Array.isArray(value));
  return lists.reduce((sum, [, value]) => sum + (value as unknown[]).length, 0);
}

/** @param setAside how many messages are in launch-poison, as /health says; undefined: it does not report */
export function poisonFinding(setAside: number | undefined): Finding {
  const check = 'poison';
  if (setAside === undefined) {
    const remedy = 'lamp deploy --from app publishes the one that goes with this lamp';
    return { check, state: 'unknown', text: '/health does not say so: the app is of an older version', remedy };
  }
  if (setAside === 0) return right(check, 'no launch was set aside');
  const remedy =
    'docs/deploy.md, Launches that were set aside. Their runs go on by themselves; the messages go after seven days';
  return wrong(
    check,
    `${count(setAside, 'message')} in launch-poison: launches that could not be read, or failed five times`,
    remedy,
  );
}
