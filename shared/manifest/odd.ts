import type { OddFile } from '../job/files.ts';
import { escaped, shown } from './literal.ts';
import type { Problem } from './problem.ts';

/** Why a file cannot be part of its job. @param place how problems call the job's folder */
export function oddProblem({ path, fault, detail = '' }: OddFile, place: string): Problem {
  const file = path === '.' ? place : `${place}/${escaped(path)}`;
  const where = shown(detail);
  switch (fault) {
    case 'outside': {
      const message = `is a link to ${where}, outside of the jobs folder; expected a file`;
      return { file, code: 'outside', message, hint: 'copy the file here: only what is here is reviewed and packed' };
    }
    case 'dangling': {
      const how = detail === 'ELOOP' ? 'in a circle' : 'to nothing';
      const message = `is a link ${how}; expected one to a file of this folder`;
      return { file, code: 'dangling', message, hint: 'delete it, or restore what it leads to' };
    }
    case 'left-out': {
      const message = `is a link to ${where}, which is never packed; expected a file of the job`;
      return { file, code: 'outside', message, hint: 'copy what the job needs into files of its own' };
    }
    case 'name': {
      const message = `has a name that ${detail}; expected one that a bundle can hold`;
      return { file, code: 'file-name', message, hint: 'rename the file; use / between folders' };
    }
    case 'special': {
      const message = 'is a pipe, socket or device; expected a file';
      return { file, code: 'no-file', message, hint: 'delete it: the job would not have it' };
    }
    case 'repository': {
      const message = 'holds HEAD, objects and refs, a bare git repository; expected the files of a job';
      return { file, code: 'repository', message, hint: 'delete them: git would run programs that its config names' };
    }
    case 'unreadable': {
      const hint = 'give the account that runs this the right to read it: chmod u+r, or chown';
      return { file, code: 'unreadable', message: `cannot be read (${detail})`, hint };
    }
  }
}
