import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How marks get to the harness: a file to append to, or from a container a socket that takes a line. */
export type Way = { file: string } | { socket: string };

/**
 * Makes jobs that are due every minute and leave a line when they begin and when they end: `begin RUN ATTEMPT PID`. Most
 * take a moment, one in ten takes long enough to be killed.
 */
export async function makeJobs(folder: string, count: number, way: Way): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  for (const [index, name] of names.entries()) {
    const job = join(folder, 'jobs', name);
    await mkdir(job, { recursive: true });
    await writeFile(join(job, 'job.yaml'), manifest(index, way));
    await writeFile(join(job, 'main.py'), script(way));
    await writeFile(join(job, 'README.md'), 'Leaves marks for the fault harness.\n');
  }
  return names;
}

/** Of letters that cannot be taken for one another: `lamp check` refuses look-alikes. */
function nameOf(index: number): string {
  const letters = 'abcdefghjkptxyz';
  const letter = (at: number) => letters[at % letters.length] ?? '';
  return `fault-${letter(Math.floor(index / letters.length))}${letter(index)}`;
}

function manifest(index: number, way: Way): string {
  const overlap = ['queue', 'allow'][index % 2];
  const limits = 'socket' in way ? ', network: none, memory: 128Mi, scratch: 16Mi' : '';
  // A daemon that is unavailable refuses at once: ten attempts have to last until it is back.
  const delay = 'socket' in way ? '3s' : '1s';
  return `description: Leaves a mark when it begins and one when it ends.
owner: { email: faults@example.com, department: Test }
tier: low-risk
data: internal
status: development
schedule: { cron: "* * * * *", timeZone: UTC, catchUp: all, catchUpLimit: 1000 }
run: { command: [python, main.py], timeout: 2m, grace: 2s, overlap: ${overlap}${limits} }
retry: { attempts: 10, backoff: constant, delay: ${delay} }
`;
}

function script(way: Way): string {
  return `import os, random, time

def mark(what):
    line = f"{what} {os.environ['JOB_RUN_ID']} {os.environ['JOB_ATTEMPT']} {os.getpid()}\\n"
${'file' in way ? append(way.file) : send(way.socket)}

mark("begin")
print("working")
time.sleep(random.choice([0.01] * 18 + [1, 15]))
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
