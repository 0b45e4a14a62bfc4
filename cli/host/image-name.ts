/** What the image of the jobs on this machine is called, unless it is named. */
export const defaultImage = 'lamplighter-runtime';
