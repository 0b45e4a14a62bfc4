import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes jobs that are due every minute and leave a line when they begin and when they end: `begin RUN ATTEMPT PID`. Most
 * take a moment, one in ten takes long enough to be killed.
 */
export async function makeJobs(folder: string, count: number, marks: string): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  for (const [index, name] of names.entries()) {
    const job = join(folder, 'jobs', name);
    await mkdir(job, { recursive: true });
    await writeFile(join(job, 'job.yaml'), manifest(index));
    await writeFile(join(job, 'main.py'), script(marks));
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

function manifest(index: number): string {
  const overlap = ['queue', 'allow'][index % 2];
  return `description: Leaves a mark when it begins and one when it ends.
owner: { email: faults@example.com, department: Test }
tier: low-risk
data: internal
status: development
schedule: { cron: "* * * * *", timeZone: UTC, catchUp: all, catchUpLimit: 1000 }
run: { command: [python, main.py], timeout: 2m, grace: 2s, overlap: ${overlap} }
retry: { attempts: 10, backoff: constant, delay: 1s }
`;
}

function script(marks: string): string {
  return `import os, random, time

def mark(what):
    line = f"{what} {os.environ['JOB_RUN_ID']} {os.environ['JOB_ATTEMPT']} {os.getpid()}\\n"
    fd = os.open(${JSON.stringify(marks)}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, line.encode())
    os.close(fd)

mark("begin")
print("working")
time.sleep(random.choice([0.01] * 18 + [1, 15]))
with open(os.environ["JOB_METRICS"], "a") as metrics:
    metrics.write("answer=42\\n")
mark("end")
`;
}
