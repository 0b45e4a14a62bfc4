/** Of the API for people and programs. */
export const apiPath = '/api/v1';

/** A second scheduler, or a person, has the service look what is due. */
export const tickPath = '/api/tick';
