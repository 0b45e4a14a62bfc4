import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How marks get to the harness: a file to append to, or from a container a socket that takes a line. */
export type Way = { file: string } | { socket: string };

export interface FaultJob {
  name: string;
  /** Left out: every minute. */
  cron?: string;
  overlap: 'queue' | 'allow' | 'forbid';
  /** Needs a secret, so that its starts go to the vault. */
  secret?: boolean;
  /** How long it takes, s: one of these. Left out: most take a moment, one in twenty long enough to be killed. */
  takes?: number[];
  /** Something that makes the code of one package differ from that of the other. */
  edition?: string;
}

/** Jobs that are due every minute; one in five skips slots of which the one before is still running. */
export function ordinaryJobs(count: number): FaultJob[] {
  return Array.from({ length: count }, (_, index) => ({
    name: nameOf(index),
    overlap: index % 5 === 4 ? 'forbid' : index % 2 === 0 ? 'queue' : 'allow',
    secret: index % 4 === 0,
  }));
}

/** Writes jobs that leave a line when they begin and when they end: `begin RUN ATTEMPT PID TIME`, in s. */
export async function writeJobs(home: string, jobs: readonly FaultJob[], way: Way): Promise<void> {
  for (const one of jobs) {
    const folder = join(home, 'jobs', one.name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'job.yaml'), manifest(one, way));
    await writeFile(join(folder, 'main.py'), script(one, way));
    await writeFile(join(folder, 'README.md'), 'Leaves marks for the fault harness.\n');
  }
}

/** Of letters that cannot be taken for one another: `lamp check` refuses look-alikes. */
function nameOf(index: number): string {
  const letters = 'abcdefghjkptxyz';
  let word = '';
  for (let rest = index; rest > 0 || word.length < 2; rest = Math.floor(rest / letters.length)) {
    word = `${letters[rest % letters.length]}${word}`;
  }
  return `fault-${word}`;
}

function manifest({ cron = '* * * * *', overlap, secret }: FaultJob, way: Way): string {
  const limits = 'socket' in way ? ', network: none, memory: 128Mi, scratch: 16Mi' : '';
  // A daemon that is unavailable refuses at once: ten attempts have to last until it is back.
  const delay = 'socket' in way ? '3s' : '1s';
  return `description: Leaves a mark when it begins and one when it ends.
owner: { email: faults@example.com, department: Test }
tier: low-risk
data: internal
status: development
schedule: { cron: "${cron}", timeZone: UTC, catchUp: all, catchUpLimit: 1000 }
run: { command: [python, main.py], timeout: 2m, grace: 2s, overlap: ${overlap}${limits} }
retry: { attempts: 10, backoff: constant, delay: ${delay} }
${secret ? 'secrets: { FAULT_KEY: fault-key }\n' : ''}`;
}

function script({ takes = [...Array(18).fill(0.01), 1, 15], edition, secret }: FaultJob, way: Way): string {
  return `import os, random, time
${edition === undefined ? '' : `\n# ${edition}\n`}
def mark(what):
    line = f"{what} {os.environ['JOB_RUN_ID']} {os.environ['JOB_ATTEMPT']} {os.getpid()} {time.time()}\\n"
${'file' in way ? append(way.file) : send(way.socket)}

mark("begin")
${secret ? 'assert os.environ["FAULT_KEY"]\n' : ''}print("working")
time.sleep(random.choice(${JSON.stringify(takes)}))
with open(os.environ["JOB_METRICS"], "a") as metrics:
    metrics.write("answer=42\\n")
mark("end")
`;
}

function append(file: string): string {
  return `    fd = os.open(${JSON.stringify(file)}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, line.encode())
    os.close(fd)`;
}

function send(socket: string): string {
  return `    import socket
    with socket.socket(socket.AF_UNIX) as way:
        way.connect(${JSON.stringify(socket)})
        way.sendall(line.encode())
        assert way.recv(2) == b"ok"`;
}
