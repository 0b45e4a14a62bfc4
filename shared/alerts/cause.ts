import { splitAdvice } from '../advice.ts';
import type { ErrorClass, ErrorKind } from '../run/attempt.ts';
import type { Cause, Incident } from '../store/incidents.ts';

/** What a person reads first: what is wrong in plain words, and what to do about it. */
export interface Plain {
  sentence: string;
  firstStep: string;
}

const errors: Record<ErrorClass, Plain> = {
  network: {
    sentence: 'The script could not reach another system over the network.',
    firstStep: 'Check that the other system is up and its name is right; then rerun.',
  },
  throttled: {
    sentence: 'Another system refused because it was asked too often.',
    firstStep: 'Wait, then rerun; ask less often or move the schedule when it happens again.',
  },
  server: {
    sentence: 'Another system answered that it has a fault of its own.',
    firstStep: 'Look at the status page of that system; rerun once it is well.',
  },
  infrastructure: {
    sentence: 'The platform that runs the job failed, not the script.',
    firstStep: 'Rerun once; when it fails again, hand the message to IT.',
  },
  lost: {
    sentence: 'The run began and then vanished without a result.',
    firstStep: 'Check what it had done already, then rerun.',
  },
  timeout: {
    sentence: 'The run did not finish within its time limit and was ended.',
    firstStep: 'Compare its log with a good run; fix what is slow, or raise run.timeout.',
  },
  memory: {
    sentence: 'The run needed more memory than it may use and was ended.',
    firstStep: 'Raise run.memory in job.yaml, or load the data in smaller parts.',
  },
  killed: {
    sentence: 'The run was ended from outside by a signal.',
    firstStep: 'Rerun; when it happens again, look for a crash of a native library in the log.',
  },
  application: {
    sentence: 'The script stopped with an error of its own.',
    firstStep: 'Read the error and the last log lines; compare the input with that of the last good run.',
  },
  syntax: {
    sentence: 'The script cannot be read by Python.',
    firstStep: 'Undo or fix the last change of the code.',
  },
  module: {
    sentence: 'A package or file that the script needs is missing.',
    firstStep: 'Add the package to pyproject.toml, run uv lock, and deploy again.',
  },
  configuration: {
    sentence: 'A setting or secret that the script needs is missing.',
    firstStep: 'Declare it under env or secrets in job.yaml and set its value.',
  },
  authorization: {
    sentence: 'Another system refused the login or the permission of the script.',
    firstStep: 'Check whether the key was renewed, has expired, or lost a permission.',
  },
};

const others: Record<Exclude<Cause, 'failed'>, Plain> = {
  'timed-out': errors.timeout,
  lost: errors.lost,
  missed: {
    sentence: 'A run that was expected did not take place.',
    firstStep: 'Decide whether the work is still needed; if so, run the job now.',
  },
  'late-start': {
    sentence: 'A run has not started in time.',
    firstStep: 'Look at what it waits for; check that the service is up.',
  },
  'late-finish': {
    sentence: 'The work was not done by the time it is needed.',
    firstStep: 'Warn those who wait for it; check whether the run is still making progress.',
  },
  'too-long': {
    sentence: 'The run takes much longer than usual.',
    firstStep: 'Read its live log; cancel it if it hangs.',
  },
  'too-short': {
    sentence: 'The run ended much sooner than it can have done its work.',
    firstStep: 'Check its results before they are used.',
  },
  suspect: {
    sentence: 'The run ended without an error code, but its log shows an error.',
    firstStep: 'Check its results before they are used; let the script exit with an error.',
  },
  metric: {
    sentence: 'A figure that the job reports is outside its limits.',
    firstStep: 'Check the input and the results of this run.',
  },
  output: {
    sentence: 'A file that the job must leave is missing or was not kept.',
    firstStep: 'Check whether the script wrote it, and under which name.',
  },
  drift: {
    sentence: 'Something about this job is not as usual.',
    firstStep:
      'To answer, press Answer, or: lamp drift <job> --answer expected|once|real --why "…". An answer says what is normal; it changes nothing in the job. Acknowledge only says that you look after it.',
  },
  secret: {
    sentence: 'A secret of the job is about to expire, has expired, or cannot be used.',
    firstStep: 'Renew it in the vault before the job needs it.',
  },
  owner: {
    sentence: 'The owner of the job has left.',
    firstStep: 'Name a new owner in job.yaml.',
  },
  channel: {
    sentence: 'An alert channel does not accept messages.',
    firstStep: 'Fix the channel, then try it: lamp alerts test.',
  },
  scheduler: {
    sentence: 'The scheduler did not work for a while.',
    firstStep: 'Check which runs were missed, and why the service was down.',
  },
};

/** Where the kind allows better advice than the class. */
const kinds: Partial<Record<ErrorKind, Plain>> = {
  'dependency-mismatch': {
    sentence: 'A package has another version than the script was written for.',
    firstStep: 'Compare uv.lock with that of the last good run; pin the version that worked.',
  },
  'shadowed-module': {
    sentence: 'A file of the job is named like a library and hides it.',
    firstStep: 'Rename the file that the error names, and its imports.',
  },
  'script-missing': {
    sentence: 'The script that the job starts is missing from its folder.',
    firstStep: 'Check run.command in job.yaml, and whether the file was committed.',
  },
  'auth-401': {
    sentence: 'Another system did not accept the key of the script.',
    firstStep: 'Check whether the key was renewed or has expired; store the new one in the vault.',
  },
  'auth-403': {
    sentence: 'Another system knows the script and does not permit what it asks for.',
    firstStep: 'Ask the owner of that system whether a permission was removed.',
  },
  'remote-404': {
    sentence: 'An address or record that the script asks another system for does not exist.',
    firstStep: 'Check the address in the error; it may have moved, or the record was deleted.',
  },
  'remote-bad-body': {
    sentence: 'Another system answered with something that is not the expected data.',
    firstStep: 'Read the answer in the log: often it is a login or maintenance page.',
  },
  dns: {
    sentence: 'The name of another system could not be resolved.',
    firstStep: 'Check the name for a typing error, and whether the network of the job may resolve it.',
  },
  tls: {
    sentence: 'The certificate of another system is not trusted.',
    firstStep: 'Ask the owner of that system whether its certificate has expired or was replaced.',
  },
  schema: {
    sentence: 'A field or column that the script expects is missing or has another type.',
    firstStep: 'Compare the input with that of the last good run; ask its owner what was renamed.',
  },
  'config-missing': {
    sentence: 'A setting or secret that the script reads is not declared.',
    firstStep: 'Add the name in the error to env or secrets in job.yaml.',
  },
  'data-or-code': {
    sentence: 'The script met data that it cannot work with, or has a mistake.',
    firstStep: 'Read the last line of the error; compare the input with that of the last good run.',
  },
  crash: {
    sentence: 'Python itself crashed in a native library.',
    firstStep: 'Compare uv.lock with that of the last good run; rerun once.',
  },
  'command-not-found': {
    sentence: 'The program that the job starts does not exist or may not be started.',
    firstStep: 'Check run.command in job.yaml.',
  },
  'file-not-found': {
    sentence: 'A file that the script needs is missing.',
    firstStep: 'Check whether the job that makes it has run, and under which name.',
  },
  'file-permission': {
    sentence: 'The script may not read or write a file.',
    firstStep: 'Let it write inside its work directory only.',
  },
  'readonly-fs': {
    sentence: 'The script tried to write where nothing can be written.',
    firstStep: 'Let it write inside its work directory, or under /tmp.',
  },
  'disk-full': {
    sentence: 'The run filled the room that it has for files.',
    firstStep: 'Raise run.scratch in job.yaml, or write less.',
  },
  database: {
    sentence: 'A database refused what the script asked of it.',
    firstStep: 'Read the message of the database in the error; check whether a table or right was changed.',
  },
};

/** The sentence and the first step of an incident. */
export function plainly({ job, cause, errorClass, errorKind }: About): Plain {
  const { sentence, firstStep } = saidOf({ job, cause, errorClass, errorKind });
  return { sentence, firstStep: firstStep.replaceAll('<job>', job ?? '<job>') };
}

/** What a person reads of an incident; the advice of a finding is its first step. */
export function said(incident: About & Pick<Incident, 'text'>): { what: string; firstStep: string } {
  const { sentence, firstStep } = plainly(incident);
  const isDrift = incident.cause === 'drift';
  const { what, advice } = isDrift ? splitAdvice(incident.text) : { what: incident.text, advice: '' };
  return {
    what: [sentence, what].filter((text) => text !== '').join(' '),
    firstStep: [advice, firstStep].filter((text) => text !== '').join(' '),
  };
}

type About = Pick<Incident, 'job' | 'cause' | 'errorClass' | 'errorKind'>;

function saidOf({ cause, errorClass, errorKind }: About): Plain {
  if (cause !== 'failed') return others[cause];
  const kind = errorKind !== null && Object.hasOwn(kinds, errorKind) ? kinds[errorKind as ErrorKind] : undefined;
  return kind ?? errors[(errorClass ?? 'application') as ErrorClass] ?? errors.application;
}

/** The word that a message begins with. */
export const stateWord: Record<Cause, string> = {
  failed: 'FAILED',
  'timed-out': 'TIMED OUT',
  lost: 'LOST',
  missed: 'MISSED',
  'late-start': 'LATE',
  'late-finish': 'OVERDUE',
  'too-long': 'SLOW',
  'too-short': 'TOO SHORT',
  suspect: 'SUSPECT',
  metric: 'OUT OF LIMITS',
  output: 'OUTPUT MISSING',
  drift: 'UNUSUAL',
  secret: 'SECRET',
  owner: 'NO OWNER',
  channel: 'CHANNEL BROKEN',
  scheduler: 'SCHEDULER WAS DOWN',
};
